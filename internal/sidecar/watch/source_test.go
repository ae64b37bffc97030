package watch

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/test/eventually"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a source until the test ends, and answers where it offers to.
func run(t *testing.T, source *Source) *sidecar.Current {
	t.Helper()
	into := sidecar.NewCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, into) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return into
}

func tokenIn(into *sidecar.Current) string {
	if set := into.Set(); set != nil {
		return set.Token.Reveal()
	}
	return ""
}

func TestRunAsksForTheOneSecret(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.lists(t, secret("first"))
	changed := secret("second")
	changed.ResourceVersion = "8"
	server.watch = tell("MODIFIED", &changed)
	source, _ := server.source(t)
	into := run(t, source)
	eventually.Holds(t, "the change is seen", func() bool { return tokenIn(into) == "second" })
	for _, request := range server.requests {
		if !strings.HasPrefix(request, "GET /api/v1/namespaces/apps/secrets?") || !strings.Contains(request, "fieldSelector=metadata.name%3Dapi") {
			t.Errorf("asked %s", request)
		}
	}
}

// A watch that the API server calls too old begins with a list, at once and without a word.
func TestRunBeginsAnewAfterGone(t *testing.T) {
	t.Parallel()
	gone := &metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired,
	}
	for name, answer := range map[string]http.HandlerFunc{
		"as an event":  tell("ERROR", gone),
		"as an answer": func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusGone, metav1.StatusReasonExpired) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t)
			server.lists(t, secret("first"))
			server.watch = answer
			source, log := server.source(t)
			into := run(t, source)
			eventually.Holds(t, "the first is found", func() bool { return tokenIn(into) == "first" })
			server.lists(t, secret("second"))
			eventually.Holds(t, "the second is found", func() bool { return tokenIn(into) == "second" })
			if text := log.String(); strings.Contains(text, "WARN") || strings.Contains(text, "ERROR") {
				t.Errorf("logged %s", text)
			}
		})
	}
}

func TestRunTellsWhetherItWatches(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.lists(t)
	server.watch = silent
	server.list = func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusInternalServerError, metav1.StatusReasonInternalError)
	}
	source, log := server.source(t)
	var (
		mu   sync.Mutex
		told []bool
	)
	source.Connected = func(up bool) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, up)
	}
	into := run(t, source)
	eventually.Holds(t, "it is logged", func() bool { return strings.Contains(log.String(), "does not answer") })
	eventually.Holds(t, "it is tried again", func() bool { return server.count("GET") > 3 })
	mu.Lock()
	if len(told) > 0 {
		t.Errorf("told %v before it was connected", told)
	}
	mu.Unlock()
	server.lists(t, secret("first"))
	eventually.Holds(t, "the Secret is found", func() bool { return tokenIn(into) == "first" })
	eventually.Holds(t, "that is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) == 1 && told[0]
	})
	if count := strings.Count(log.String(), "does not answer"); count != 1 {
		t.Errorf("logged %d times: %s", count, log)
	}
}

// An API server that has just started refuses everybody for a moment.
func TestRunOverlooksAShortRefusal(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.lists(t, secret("first"))
	server.watch = func(http.ResponseWriter, *http.Request) {} // It ends at once.
	source, log := server.source(t)
	into := run(t, source)
	eventually.Holds(t, "the first is found", func() bool { return tokenIn(into) == "first" })
	eventually.Holds(t, "it is watched", func() bool { return server.count("watch=") > 0 })
	forbid := func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden)
	}
	server.set(func() { server.list, server.watch = forbid, forbid })
	asked := server.count("GET")
	eventually.Holds(t, "it is refused more than once", func() bool { return server.count("GET") > asked+2 })
	server.lists(t, secret("second"))
	server.set(func() { server.watch = silent })
	eventually.Holds(t, "the second is found", func() bool { return tokenIn(into) == "second" })
	if text := log.String(); strings.Contains(text, "manifest") {
		t.Errorf("logged %s", text)
	}
}

// However long it is refused, it tries again within three seconds, and not all the time.
func TestRunKeepsItsPace(t *testing.T) {
	t.Parallel()
	server := serve(t)
	var (
		mu       sync.Mutex
		attempts []time.Time
	)
	server.list = func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		attempts = append(attempts, time.Now())
		mu.Unlock()
		refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden)
	}
	source, log := server.source(t)
	run(t, source)
	time.Sleep(10 * time.Second)
	mu.Lock()
	defer mu.Unlock()
	if len(attempts) > 12 {
		t.Errorf("%d attempts in ten seconds", len(attempts))
	}
	for i, next := range append(slices.Clone(attempts[1:]), time.Now()) {
		if pause := next.Sub(attempts[i]); pause > 3*time.Second {
			t.Errorf("paused for %v", pause)
		}
	}
	if count := strings.Count(log.String(), "manifest="); count != 1 {
		t.Errorf("logged %d times: %s", count, log)
	}
}

func TestRunOffersWhatIsAccepted(t *testing.T) {
	t.Parallel()
	server := serve(t)
	foreign := secret("first")
	server.lists(t, foreign)
	ours := secret("second")
	ours.ResourceVersion = "8"
	ours.Annotations = map[string]string{v1alpha1.AnnotationRefreshRequestedAt: "now"}
	server.watch = tell("MODIFIED", &ours)
	source, _ := server.source(t)
	source.Accepts = func(secret *corev1.Secret) bool {
		return secret.Annotations[v1alpha1.AnnotationRefreshRequestedAt] == "now"
	}
	set, err := run(t, source).Next(t.Context(), nil)
	if err != nil || set.Token.Reveal() != "second" {
		t.Errorf("the first that was offered is %v: %v", set, err)
	}
}

// TestAGrantIsNobodysToken: what tokensync keeps for itself goes into no file.
func TestAGrantIsNobodysToken(t *testing.T) {
	t.Parallel()
	server := serve(t)
	grant := secret("first")
	grant.Labels = map[string]string{v1alpha1.LabelRole: v1alpha1.RoleGrant}
	server.lists(t, grant)
	source, log := server.source(t)
	into := run(t, source)
	eventually.Holds(t, "it is said", func() bool { return strings.Contains(log.String(), "holds a grant") })
	if into.Set() != nil {
		t.Error("it is offered")
	}
}

// TestAStrangeSecretIsDoubted, and one that renames its keys is not.
func TestAStrangeSecretIsDoubted(t *testing.T) {
	t.Parallel()
	for name, managed := range map[string]bool{"a stranger's": false, "the operator's": true} {
		server := serve(t)
		strange := secret("first")
		strange.Data = map[string][]byte{"client_secret": []byte("s3cret")}
		strange.Labels = nil
		if managed {
			strange.Labels = map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync}
		}
		server.lists(t, strange)
		source, log := server.source(t)
		into := run(t, source)
		eventually.Holds(t, "it is offered", func() bool { return into.Set() != nil })
		if doubted := strings.Contains(log.String(), "is it the right one?"); doubted == managed {
			t.Errorf("%s is doubted: %t", name, doubted)
		}
	}
}
