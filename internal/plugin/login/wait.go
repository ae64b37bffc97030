package login

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

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

// fateOf reads the fate of a login off the Secret of the grant.
func fateOf(left *grant.Login, data map[string][]byte) fate {
	record, err := grant.Decode(data)
	if err != nil {
		return waiting // It is being written.
	}
	if record.Login != nil && record.Login.ID == left.ID {
		return waiting
	}
	// The chain of a login has its name, whoever has fetched the tokens.
	if record.Chain != nil && record.Chain.ID == left.ID {
		return taken
	}
	return dropped
}

// await waits until the operator has taken up the login and the credential is ready.
func (s *session) await(ctx context.Context, left *grant.Login) error {
	began := s.environment.Clock.Now()
	decided := began // when it was last seen to wait
	for {
		found, report, err := s.look(ctx, left)
		if err != nil {
			return err
		}
		now := s.environment.Clock.Now()
		if found == waiting {
			decided = now
		}
		good, settled := report.Ready && since(report, left), now.Sub(decided) >= settling
		switch {
		case good && (found == taken || settled && report.Trouble == nil):
			return s.succeed(report) // Another chain may have taken the place of the login's already.
		case settled && report.Trouble != nil:
			return cli.NotReadyf("the login has not helped: %s: %s", report.Trouble.Reason, report.Trouble.Message)
		case now.Sub(began) >= s.timeout:
			return s.giveUp(report, found)
		}
		if err := s.environment.Wait(ctx, glance); err != nil {
			return err
		}
	}
}

// look is what has become of the login, and of the credential after that.
func (s *session) look(ctx context.Context, left *grant.Login) (fate, status.Report, error) {
	found, err := s.fate(ctx, left)
	if err != nil {
		return found, status.Report{}, err
	}
	credential, err := s.cluster.Credential(ctx, s.credential.Name)
	if err != nil {
		return found, status.Report{}, err
	}
	return found, status.Describe(credential, s.environment.Clock.Now()), nil
}

// since tells whether the token that is reported came with the login, or after it.
func since(report status.Report, left *grant.Login) bool {
	return report.IssuedAt != nil && !report.IssuedAt.Time.Before(left.At.Truncate(time.Second))
}

func (s *session) fate(ctx context.Context, left *grant.Login) (fate, error) {
	secret := &corev1.Secret{}
	err := s.cluster.Client.Get(ctx, s.grantKey(), secret)
	if apierrors.IsNotFound(err) {
		return dropped, nil
	}
	if err != nil {
		return waiting, cli.Explain(err)
	}
	return fateOf(left, secret.Data), nil
}

// succeed says what came of the login.
func (s *session) succeed(report status.Report) error {
	text := fmt.Sprintf("You are logged in: the Secret %q holds a good token", report.SecretName)
	now := s.environment.Clock.Now()
	if report.ExpiresAt != nil {
		text += ", the next one comes before it expires, " + cli.When(report.ExpiresAt.Time, now)
	}
	if report.RefreshTokenExpiresAt != nil {
		text += fmt.Sprintf("; log in again before %s", report.RefreshTokenExpiresAt.UTC().Format(time.DateOnly))
	}
	_, err := fmt.Fprintln(s.environment.Out, text+".")
	return err
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
