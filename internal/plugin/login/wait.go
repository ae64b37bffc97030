package login

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/status"
)

const (
	// glance is how often the cluster is asked what came of a login.
	glance = 300 * time.Millisecond
	// settling is how long the status may lag behind a login that was taken up or
	// refused.
	settling = 5 * time.Second
)

// fate is what the operator has made of a login.
type fate int

// The fates.
const (
	// waiting: it lies where it was left.
	waiting fate = iota
	// taken: the grant goes on from it.
	taken
	// dropped: it was of no use.
	dropped
)

// sight is what has become of a login, and of the credential after that.
type sight struct {
	fate fate
	// final says that there is no refresh token.
	final  bool
	report status.Report
	// chain is that of which the report speaks. The token may seem older than the login,
	// by another clock.
	chain string
	// failure is the one that the operator is working against, nil while all is well.
	failure *v1alpha1.LastFailure
}

// sightOf reads the fate of a login off the Secret of the grant.
func sightOf(left *grant.Login, data map[string][]byte) sight {
	record, err := grant.Decode(data)
	if err != nil {
		return sight{fate: waiting} // It is being written.
	}
	found := sight{fate: dropped, final: record.Chain != nil && record.Chain.RefreshToken.IsEmpty()}
	switch {
	case record.Login != nil && record.Login.ID == left.ID:
		found.fate = waiting
	case record.Chain != nil && record.Chain.ID == left.ID:
		found.fate = taken // The chain of a login has its name, whoever has fetched the tokens.
	}
	return found
}

// await waits until the operator has taken up the login and the credential is ready.
func (s *session) await(ctx context.Context, left *grant.Login) error {
	began := s.environment.Clock.Now()
	decided := began // when it was last seen to wait
	for {
		found, err := s.look(ctx, left)
		if err != nil {
			return err
		}
		report := found.report
		now := s.environment.Clock.Now()
		if found.fate == waiting {
			decided = now
		}
		settled := now.Sub(decided) >= settling
		switch {
		case report.Ready && found.fate == taken && found.chain == left.ID:
			return s.succeed(found)
		case settled && report.Trouble == nil && report.Ready && since(report, left):
			return s.succeed(found) // Another chain has taken the place of the login's already.
		case settled && report.Trouble != nil, found.fate == waiting && refuses(s.failure, found.failure):
			return cli.NotReadyf("the login has not helped: %s: %s", report.Trouble.Reason, report.Trouble.Message)
		case now.Sub(began) >= s.timeout:
			return s.giveUp(report, found.fate)
		}
		if err := s.environment.Wait(ctx, glance); err != nil {
			return err
		}
	}
}

// look is what has become of the login, and of the credential after that.
func (s *session) look(ctx context.Context, left *grant.Login) (sight, error) {
	found, err := s.fate(ctx, left)
	if err != nil {
		return found, err
	}
	credential, err := s.cluster.Credential(ctx, s.credential.Name)
	if err != nil {
		return found, err
	}
	found.report, found.failure = status.Describe(credential, s.environment.Clock.Now()), credential.Status.LastFailure
	if kept := credential.Status.Grant; kept != nil {
		found.chain = kept.Chain
	}
	return found, nil
}

// refuses tells whether a failure came after the one that there was before, and stays
// unless somebody does something: the exchange of the code was refused, or cannot be made.
// That a login is needed was true before the login was seen.
func refuses(before, now *v1alpha1.LastFailure) bool {
	if now == nil || slices.Contains(passing, now.Reason) {
		return false
	}
	return before == nil || before.Reason != now.Reason || before.Message != now.Message ||
		before.Count != now.Count || !before.Time.Equal(&now.Time)
}

// passing are the reasons of failures that may be over at the next try, or once the login
// is taken up.
var passing = []string{
	v1alpha1.ReasonProviderUnreachable,
	v1alpha1.ReasonRateLimited,
	v1alpha1.ReasonInternalError,
	v1alpha1.ReasonAuthorizationRequired,
	v1alpha1.ReasonRefreshTokenLost,
}

// since tells whether the token that is reported came with the login, or after it.
func since(report status.Report, left *grant.Login) bool {
	return report.IssuedAt != nil && !report.IssuedAt.Time.Before(left.At.Truncate(time.Second))
}

func (s *session) fate(ctx context.Context, left *grant.Login) (sight, error) {
	secret := &corev1.Secret{}
	err := s.cluster.Client.Get(ctx, s.grantKey(), secret)
	if apierrors.IsNotFound(err) {
		return sight{fate: dropped}, nil
	}
	if err != nil {
		return sight{}, cli.Explain(err)
	}
	return sightOf(left, secret.Data), nil
}

// succeed says what came of the login.
func (s *session) succeed(found sight) error {
	_, err := fmt.Fprintln(s.environment.Out, outlook(found, s.environment.Clock.Now()))
	return err
}

// outlook says what there is, and when somebody has to log in again, where that is known.
func outlook(found sight, now time.Time) string {
	report := found.report
	text := fmt.Sprintf("You are logged in: the Secret %q holds a good token", report.SecretName)
	switch {
	case found.final && report.ExpiresAt == nil:
		text += ", but there is no refresh token: somebody has to log in again when the token is good no longer"
	case found.final:
		text += fmt.Sprintf(", but there is no refresh token: somebody has to log in again before the token expires, %s, at %s",
			cli.When(report.ExpiresAt.Time, now), report.ExpiresAt.UTC().Format(time.RFC3339))
	case report.ExpiresAt != nil:
		text += ", the next one comes before it expires, " + cli.When(report.ExpiresAt.Time, now)
	}
	if ends := report.RefreshTokenExpiresAt; ends != nil && (!report.RefreshTokenRenews || report.RefreshTokenWarning != "") {
		text += fmt.Sprintf("; log in again before %s", ends.UTC().Format(time.DateOnly))
	}
	return text + "."
}

func (s *session) giveUp(report status.Report, found fate) error {
	switch {
	case found == waiting && report.State == status.Unseen, found == waiting && report.Trouble == nil:
		return cli.Timeoutf("the login is stored, but the operator has not taken it up within %s: is tokensync running, and does it "+
			"watch the namespace %q?", s.timeout, s.credential.Namespace)
	case report.Trouble != nil:
		return cli.Timeoutf("the credential is not ready after %s: %s: %s", s.timeout, report.Trouble.Reason, report.Trouble.Message)
	}
	return cli.Timeoutf("the credential is not ready after %s: see `kubectl tokensync status %s -n %s`",
		s.timeout, s.credential.Name, s.credential.Namespace)
}
