package refresh

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/status"
)

const (
	// glance is how often the cluster is asked for the outcome, or less often, by each
	// for every credential.
	glance = 300 * time.Millisecond
	each   = 10 * time.Millisecond
	// patience is how long an obstacle may stand before it counts: the operator may
	// not have heard yet that it is gone.
	patience = 3 * time.Second
)

// waiter waits for the outcome of refreshes that were asked for.
type waiter struct {
	*options

	cluster  *cli.Cluster
	request  string
	open     []types.NamespacedName
	failures int
	// pending is what was last seen of a credential without an outcome.
	pending map[types.NamespacedName]*v1alpha1.OAuthCredential
}

// await waits until all have an outcome, or the time is over.
func (w *waiter) await(ctx context.Context) error {
	began := w.environment.Clock.Now()
	w.pending = map[types.NamespacedName]*v1alpha1.OAuthCredential{}
	for {
		waited := w.environment.Clock.Since(began)
		if err := w.look(ctx, waited); err != nil {
			return err
		}
		switch {
		case len(w.open) == 0:
			return w.verdict()
		case waited >= w.timeout:
			return w.giveUp()
		}
		if err := w.environment.Wait(ctx, max(glance, time.Duration(len(w.open))*each)); err != nil {
			return err
		}
	}
}

// look tells of the credentials that have got an outcome.
func (w *waiter) look(ctx context.Context, waited time.Duration) error {
	var open []types.NamespacedName
	for _, key := range w.open {
		credential := &v1alpha1.OAuthCredential{}
		err := w.cluster.Client.Get(ctx, key, credential)
		if apierrors.IsNotFound(err) {
			credential.Namespace, credential.Name = key.Namespace, key.Name
			w.failures++
			if err := w.say(credential, "was deleted in the meantime"); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return cli.Explain(err)
		}
		done, err := w.tell(credential, waited)
		if err != nil {
			return err
		}
		if !done {
			w.pending[key] = credential
			open = append(open, key)
		}
	}
	w.open = open
	return nil
}

// tell says what came of a request, if anything did.
func (w *waiter) tell(credential *v1alpha1.OAuthCredential, waited time.Duration) (done bool, err error) {
	now := w.environment.Clock.Now()
	report := status.Describe(credential, now)
	switch judge(credential, w.request) {
	case refreshed:
		until := "for as long as the provider does not say"
		if report.ExpiresAt != nil {
			until = "until " + report.ExpiresAt.UTC().Format(time.RFC3339) + ", " + cli.When(report.ExpiresAt.Time, now)
		}
		return true, w.say(credential, "has a new token, good %s", until)
	case failed:
		w.failures++
		return true, w.say(credential, "%s", refusal(credential, report, "has no new token"))
	case blocked:
		if waited < patience && waited < w.timeout {
			return false, nil
		}
		w.failures++
		return true, w.say(credential, "%s", refusal(credential, report, "cannot be refreshed"))
	case pending:
	}
	return false, nil
}

// below begins a line that belongs to the one above.
const below = "\n  └ "

// refusal says in how far there is no new token, why, and below that what else there is
// to know.
func refusal(credential *v1alpha1.OAuthCredential, report status.Report, what string) string {
	why := explain(report)
	if credential.Spec.GrantType == v1alpha1.GrantDeviceCode && report.Trouble != nil &&
		report.Trouble.Reason == v1alpha1.ReasonAuthorizationRequired {
		what, why = "waits for you", report.Trouble.Message // It has a code now.
	}
	text := what + ": " + why
	if report.Ready {
		text += below + "The old token is still good."
	}
	return text
}

// explain says what stands in the way, and what to do.
func explain(report status.Report) string {
	if report.Trouble == nil {
		return report.Next
	}
	text := report.Trouble.Reason + ": " + report.Trouble.Message
	if report.Advice != "" {
		text += below + "Run: " + report.Advice
	}
	return text
}

// giveUp tells of those that have no outcome, and why that may be so.
func (w *waiter) giveUp() error {
	for _, key := range slices.Clone(w.open) {
		credential := w.pending[key]
		report := status.Describe(credential, w.environment.Clock.Now())
		var why string
		switch {
		case report.State == status.Unseen:
			why = report.Next
		case report.Trouble != nil:
			why = explain(report)
		case report.RefreshAt != nil && report.RefreshAt.After(w.environment.Clock.Now()):
			why = "tokensync may hold it back until " + report.RefreshAt.UTC().Format(time.RFC3339) + ", as after several refreshes in a row"
		default:
			why = "tokensync may not be running, or the provider is slow"
		}
		if err := w.say(credential, "has not been refreshed yet: %s", why); err != nil {
			return err
		}
	}
	if w.failures > 0 {
		return cli.Silent(cli.ExitNotReady)
	}
	return cli.Timeoutf("there was no outcome within %s: wait longer with --timeout, or look later with `kubectl tokensync status`",
		w.timeout)
}

func (w *waiter) verdict() error {
	if w.failures > 0 {
		return cli.Silent(cli.ExitNotReady)
	}
	return nil
}
