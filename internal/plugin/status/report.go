package status

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

// State is how a credential is.
type State string

// The states, from good to bad.
const (
	// Good: the Secret holds a good token, and the next one is not in doubt.
	Good State = "Good"
	// Pending: the first token, or one for a changed spec, is being asked for.
	Pending State = "Pending"
	// Suspended: spec.suspend holds all requests back.
	Suspended State = "Suspended"
	// Failing: the token is good, and the next one could not be had.
	Failing State = "Failing"
	// Waiting: there is no good token, and tokensync tries again.
	Waiting State = "Waiting"
	// Expired: the token has run out, and nobody has said why.
	Expired State = "Expired"
	// Stalled: there is no good token, and nothing happens without a person.
	Stalled State = "Stalled"
	// Unseen: no operator has looked at the credential.
	Unseen State = "Unseen"
)

// Trouble is what stands in the way of the next token.
type Trouble struct {
	Reason  string       `json:"reason"`
	Message string       `json:"message"`
	Count   int32        `json:"count,omitempty"`
	Since   *metav1.Time `json:"since,omitempty"`
}

// Report is what there is to say of a credential at an instant.
type Report struct {
	Namespace  string       `json:"namespace"`
	Name       string       `json:"name"`
	Ready      bool         `json:"ready"`
	State      State        `json:"state"`
	Reason     string       `json:"reason,omitempty"`
	Message    string       `json:"message,omitempty"`
	SecretName string       `json:"secretName,omitempty"`
	IssuedAt   *metav1.Time `json:"issuedAt,omitempty"`
	ExpiresAt  *metav1.Time `json:"expiresAt,omitempty"`
	RefreshAt  *metav1.Time `json:"refreshAt,omitempty"`
	// RefreshTokenExpiresAt is when the grant ends, where that is known.
	RefreshTokenExpiresAt *metav1.Time `json:"refreshTokenExpiresAt,omitempty"`
	// RefreshTokenWarning says what to do about the end, once that is near, and
	// RefreshTokenRenews that the end moves on with each use, as far as is known.
	RefreshTokenWarning string `json:"refreshTokenWarning,omitempty"`
	RefreshTokenRenews  bool   `json:"refreshTokenRenews,omitempty"`
	// Next says what happens next, and when.
	Next string `json:"next"`
	// Trouble is nil while all is well.
	Trouble *Trouble `json:"trouble,omitempty"`
	// Advice is a command to run, where one helps that no message names.
	Advice string `json:"advice,omitempty"`
}

const (
	// command is how a command in a message begins.
	command = "kubectl "
	// overdue is how late a refresh may be before that is worth a word.
	overdue = time.Minute
	// unnoticed is how long a new credential may go without a status.
	unnoticed = 10 * time.Second
)

// Describe reads a credential at an instant.
func Describe(credential *v1alpha1.OAuthCredential, now time.Time) Report {
	s := &credential.Status
	r := Report{
		Namespace: credential.Namespace, Name: credential.Name, SecretName: s.SecretName,
		IssuedAt: s.IssuedAt, ExpiresAt: s.ExpiresAt, RefreshAt: s.RefreshAt, RefreshTokenExpiresAt: s.RefreshTokenExpiresAt,
		RefreshTokenRenews: s.Grant != nil && s.Grant.UseBy != nil,
	}
	if c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionRefreshTokenExpiring); c != nil && c.Status == metav1.ConditionTrue {
		r.RefreshTokenWarning = cli.Printable(c.Reason + ": " + c.Message)
	}
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		r.State = Unseen
		if now.Sub(credential.CreationTimestamp.Time) < unnoticed {
			r.State = Pending
		}
		r.Next = r.next(credential, now)
		return r
	}
	expired := s.ExpiresAt != nil && !now.Before(s.ExpiresAt.Time)
	r.Ready = ready.Status == metav1.ConditionTrue && !expired
	r.Reason, r.Message = ready.Reason, cli.Printable(ready.Message)
	r.Trouble = trouble(s, ready)
	r.State = r.state(credential, expired)
	r.Next = r.next(credential, now)
	r.Advice = r.advice(credential)
	return r
}

// advice is the command for a login, where nothing but that helps. A code that is entered
// elsewhere, or a refresh token, comes by other ways, which the message tells.
func (r *Report) advice(credential *v1alpha1.OAuthCredential) string {
	if !r.needsLogin() || credential.Spec.GrantType != v1alpha1.GrantAuthorizationCode || strings.Contains(r.Trouble.Message, command) {
		return ""
	}
	return "kubectl tokensync login " + credential.Name + " -n " + credential.Namespace
}

// trouble is what stands in the way of the next token, nil where nothing does. What is
// no failure of a request shows in the Stalled condition alone.
func trouble(s *v1alpha1.OAuthCredentialStatus, ready *metav1.Condition) *Trouble {
	if failure := s.LastFailure; failure != nil {
		return &Trouble{Reason: failure.Reason, Message: cli.Printable(failure.Message), Count: failure.Count, Since: &failure.FirstTime}
	}
	if stalled := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionStalled); stalled != nil &&
		(stalled.Status == metav1.ConditionTrue || stalled.Reason != ready.Reason) {
		message := stalled.Message
		if message == "" {
			message = ready.Message
		}
		return &Trouble{Reason: stalled.Reason, Message: cli.Printable(message)}
	}
	if ready.Status == metav1.ConditionTrue || slices.Contains(quiet, ready.Reason) {
		return nil
	}
	return &Trouble{Reason: ready.Reason, Message: cli.Printable(ready.Message)}
}

// quiet are the reasons of a credential without a token that are no trouble.
var quiet = []string{v1alpha1.ReasonRequestingToken, v1alpha1.ReasonTokenExpired, v1alpha1.ReasonSuspended}

func (r *Report) state(credential *v1alpha1.OAuthCredential, expired bool) State {
	stalled := meta.IsStatusConditionTrue(credential.Status.Conditions, v1alpha1.ConditionStalled)
	switch {
	case credential.Spec.Suspend:
		return Suspended
	case r.Ready && r.Trouble != nil:
		return Failing
	case r.Ready:
		return Good
	case stalled:
		return Stalled
	case r.Trouble != nil:
		return Waiting
	case expired:
		return Expired
	}
	return Pending
}

// needsLogin says that a person has to log in.
func (r *Report) needsLogin() bool {
	return r.Trouble != nil && slices.Contains(
		[]string{v1alpha1.ReasonAuthorizationRequired, v1alpha1.ReasonRefreshTokenLost}, r.Trouble.Reason)
}
