package watch

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/internal/sidecar/kube"
)

// trouble is why the Secret cannot be watched. It is logged once, until it is another.
type trouble string

const (
	none         trouble = ""
	unauthorized trouble = "unauthorized"
	// listForbidden and watchForbidden are two, because somebody may grant one right after
	// the other.
	listForbidden  trouble = "list forbidden"
	watchForbidden trouble = "watch forbidden"
	unreachable    trouble = "unreachable"
)

// grace is for how long a refusal after all was well is not logged: an API server that has
// just started refuses everybody until it has read the roles.
const grace = 10 * time.Second

// troubleOf classifies the error of an attempt; none for what a new list mends.
func troubleOf(verb string, err error) trouble {
	switch {
	case err == nil, apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return none
	case apierrors.IsForbidden(err) && verb == "list":
		return listForbidden
	case apierrors.IsForbidden(err):
		return watchForbidden
	case apierrors.IsUnauthorized(err):
		return unauthorized
	default:
		return unreachable
	}
}

// attempted looks at what came of a list or a watch, unless the source was to end.
func (s *Source) attempted(ctx context.Context, verb string, err error) {
	if ctx.Err() != nil || err == nil && verb == "list" {
		return // Only a watch shows that all is well.
	}
	if err != nil {
		s.Log.Debug("an attempt to watch the Secret has failed", "secret", s.Name, "verb", verb, "error", err)
	}
	now := troubleOf(verb, err)
	if now == none && err != nil {
		return
	}
	s.connect(now == none)
	if s.isNews(now) {
		s.tell(now, verb, err)
	}
}

// isNews notes a trouble, or that there is none, and tells whether it is to be logged.
func (s *Source) isNews(now trouble) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch now {
	case none:
		s.watched, s.refusedSince = true, time.Time{}
	case listForbidden, watchForbidden, unauthorized:
		if s.refusedSince.IsZero() {
			s.refusedSince = s.Clock.Now()
		}
		if s.watched && s.Clock.Since(s.refusedSince) < grace {
			return false
		}
	case unreachable:
		s.refusedSince = time.Time{}
	}
	before := s.trouble
	s.trouble = now
	return now != before
}

// tell logs a trouble that is news, or its end.
func (s *Source) tell(now trouble, verb string, err error) {
	log := s.Log.With("secret", s.Name, "namespace", s.Client.Namespace)
	switch now {
	case none:
		log.Info("the Secret is being watched again")
	case listForbidden, watchForbidden:
		log.Error("the pod's ServiceAccount may not watch the Secret: apply the manifest",
			"verb", verb, "manifest", s.manifest(s.Refreshes))
	case unauthorized:
		log.Error("the API server does not know who asks: the token of the pod's ServiceAccount is refused, or the kubeconfig's credentials are")
	case unreachable:
		log.Warn("the API server does not answer as it should; what was found before is kept meanwhile", "error", err)
	}
}

// manifest is the Role that the source needs, with its RoleBinding.
func (s *Source) manifest(refreshes bool) string {
	if s.Manifest != "" {
		return s.Manifest
	}
	verbs := []string{"get", "list", "watch"}
	if refreshes {
		verbs = append(verbs, "patch")
	}
	return s.Client.Manifest(s.Name, kube.Right{Resource: "secrets", Name: s.Name, Verbs: verbs})
}
