package status

import (
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

// next says what happens next, and when.
func (r *Report) next(credential *v1alpha1.OAuthCredential, now time.Time) string {
	switch {
	case r.State == Unseen:
		return "no operator has looked at it: is tokensync running, and does it watch this namespace?"
	case r.State == Suspended:
		return "nothing, while spec.suspend is true"
	case r.needsLogin():
		return "waits for a login"
	case len(credential.Status.Conditions) == 0:
		return "is about to be looked at"
	case credential.Generation > credential.Status.ObservedGeneration:
		return "tries the changed spec"
	case r.RefreshAt == nil && r.Trouble != nil:
		return "waits for you"
	case r.RefreshAt == nil && r.Ready:
		return "-"
	case r.RefreshAt == nil:
		return "asks for a token"
	}
	return r.scheduled(now)
}

// scheduled says when the next token is asked for.
func (r *Report) scheduled(now time.Time) string {
	what := "refresh "
	if r.Trouble != nil {
		what = "tries again "
	}
	switch late := now.Sub(r.RefreshAt.Time); {
	case late > overdue:
		return "overdue for " + cli.Duration(late) + ": is tokensync running?"
	case late > -time.Second:
		return what + "now"
	}
	return what + cli.When(r.RefreshAt.Time, now)
}
