package failures_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
)

// storm is many credentials of one ClusterOAuthProvider.
type storm struct {
	*provider
	namespace string
	names     []string
}

// strike makes a storm of so many credentials at a provider that misbehaves. Provider
// and namespace have the same name, and lines are further ones for the provider.
func (s *site) strike(ctx SpecContext, name, lines string, count int, behavior standin.Behavior) storm {
	GinkgoHelper()
	struck := storm{provider: startProvider(time.Hour), namespace: s.namespace(ctx, name)}
	struck.Misbehave(behavior)
	s.share(ctx, name, struck.url, lines)
	struck.names = s.subscribe(ctx, name, name, count)
	return struck
}

// inOrder are the requests to a provider in the order in which they came.
func (p *provider) inOrder() []standin.Request {
	requests := p.Requests()
	slices.SortFunc(requests, func(a, b standin.Request) int { return a.Time.Compare(b.Time) })
	return requests
}

// worstExcess is by how many the requests of any span of time were more than so many
// per period.
func worstExcess(requests []standin.Request, limit int, period time.Duration) float64 {
	worst := 0.0
	for i, first := range requests {
		for j, last := range requests[i:] {
			allowed := float64(limit) * last.Time.Sub(first.Time).Seconds() / period.Seconds()
			worst = max(worst, float64(j+1)-allowed)
		}
	}
	return worst
}

// expired are those Secrets of a storm that ever held an expired token, and for how
// long at a time.
func (s *site) expired(of storm) map[string][]time.Duration {
	expired := map[string][]time.Duration{}
	for _, name := range of.names {
		all := s.secrets.of(of.namespace, name)
		for i, one := range all {
			until := time.Now()
			if i+1 < len(all) {
				until = all[i+1].at
			}
			if _, expiresAt, _ := of.Check(one.token); until.After(expiresAt) {
				expired[name] = append(expired[name], until.Sub(expiresAt))
			}
		}
	}
	return expired
}

// lateness is by how much the tokens that fell due within a span of time were
// written later than planned, the least first.
func (s *site) lateness(of storm, from, to time.Time) []time.Duration {
	var late []time.Duration
	for _, name := range of.names {
		versions := s.credentials.of(of.namespace, name)
		for _, one := range s.secrets.of(of.namespace, name) {
			if due := plannedBefore(versions, one.at); due.After(from) && due.Before(to) {
				late = append(late, one.at.Sub(due))
			}
		}
	}
	slices.Sort(late)
	return late
}

// plannedBefore is the latest time before an instant for which a refresh was planned.
func plannedBefore(versions []version, at time.Time) time.Time {
	var due time.Time
	for _, v := range versions {
		if planned := v.credential.Status.RefreshAt; planned != nil && planned.After(due) && planned.Time.Before(at) {
			due = planned.Time
		}
	}
	return due
}

// quantile is what so many of a hundred do not exceed, of what is in order.
func quantile[T cmp.Ordered](ordered []T, percent int) T {
	var none T
	if len(ordered) == 0 {
		return none
	}
	return ordered[(len(ordered)-1)*percent/100]
}
