package oauthcredential

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// lister lists credentials, and counts how often it did.
type lister struct {
	client.Client

	items []v1alpha1.OAuthCredential
	err   error
	lists int
}

func (l *lister) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	l.lists++
	list.(*v1alpha1.OAuthCredentialList).Items = l.items
	return l.err
}

// begun is a credential that has begun with a value, empty for none.
func begun(namespace, name, value string) *v1alpha1.OAuthCredential {
	c := &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name)}}
	if value != "" {
		c.Status.Grant = &v1alpha1.GrantStatus{BootstrapHash: grant.Hash("cluster", redact.New(value))}
	}
	return c
}

func claimer(l *lister) *Reconciler {
	return &Reconciler{Cluster: "cluster", Client: l, writes: lastWrites{written: map[types.NamespacedName]write{}}}
}

func TestARefreshTokenIsForOneCredential(t *testing.T) {
	t.Parallel()
	const namespaced, foreign = `"a"`, "another namespace"
	r := claimer(&lister{})
	first := begun("web", "a", "")
	for name, test := range map[string]struct {
		by    *v1alpha1.OAuthCredential
		value string
		says  string // nothing where it may begin
	}{
		"again":                       {first, "r3fresh", ""},
		"another value":               {begun("web", "b", ""), "0ther", ""},
		"another credential":          {begun("web", "b", ""), "r3fresh", namespaced},
		"one of another namespace":    {begun("shop", "a", ""), "r3fresh", foreign},
		"a new one of the same name":  {&v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "a", UID: "new"}}, "r3fresh", namespaced},
		"another credential, another": {begun("web", "c", ""), "thiRd", ""},
	} {
		if failed := r.claimBootstrap(first, redact.New("r3fresh")); failed != nil {
			t.Fatalf("the first may not begin: %s", failed.Message)
		}
		failed := r.claimBootstrap(test.by, redact.New(test.value))
		switch {
		case (failed == nil) != (test.says == ""):
			t.Errorf("%s: got %v", name, failed)
		case failed == nil:
		case failed.Reason != v1alpha1.ReasonRefreshTokenConflict || failed.Class != lifetime.Configuration || !stalling[failed.Reason]:
			t.Errorf("%s: the reason is %s of the class %s", name, failed.Reason, failed.Class)
		case !strings.Contains(failed.Message, test.says) || strings.Contains(failed.Message, "r3fresh"):
			t.Errorf("%s: says %q", name, failed.Message)
		case test.says == foreign && (strings.Contains(failed.Message, `"a"`) || strings.Contains(failed.Message, "web")):
			t.Errorf("%s: it is told of a credential that it may not see: %q", name, failed.Message)
		}
	}
}

func TestACredentialThatIsGoneLeavesItsRefreshToken(t *testing.T) {
	t.Parallel()
	r := claimer(&lister{})
	a, b, value := begun("web", "a", ""), begun("web", "b", ""), redact.New("r3fresh")
	r.claimBootstrap(a, value)
	r.claimBootstrap(a, redact.New("0ther"))
	r.bootstraps.release(b.UID)
	if r.claimBootstrap(b, value) == nil {
		t.Error("the claim ends with another credential")
	}
	r.bootstraps.release(a.UID)
	if failed := r.claimBootstrap(b, value); failed != nil {
		t.Errorf("the claim of nobody is kept: %s", failed.Message)
	}
	if len(r.bootstraps.holder) != 1 {
		t.Errorf("%d claims, want one", len(r.bootstraps.holder))
	}
}

// TestAfterARestartItIsKnownWhoHasBegun, before anybody else begins.
func TestAfterARestartItIsKnownWhoHasBegun(t *testing.T) {
	t.Parallel()
	l := &lister{err: errors.New("the cache is not ready")}
	r := claimer(l)
	if err := r.noteBootstraps(t.Context()); !errors.Is(err, l.err) {
		t.Fatalf("got %v", err)
	}
	l.err, l.items = nil, []v1alpha1.OAuthCredential{*begun("web", "a", "r3fresh"), *begun("web", "b", ""), *begun("shop", "c", "thiRd")}
	for range 2 {
		if err := r.noteBootstraps(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if l.lists != 2 {
		t.Errorf("listed %d times, want once after the failure", l.lists)
	}
	if r.claimBootstrap(begun("web", "b", ""), redact.New("r3fresh")) == nil || r.claimBootstrap(begun("web", "b", ""), redact.New("thiRd")) == nil {
		t.Error("what was begun before the restart is begun once more")
	}
	if failed := r.claimBootstrap(begun("web", "a", ""), redact.New("r3fresh")); failed != nil {
		t.Errorf("who has begun with it may not go on: %s", failed.Message)
	}
	if uid, ok := r.writes.known(types.NamespacedName{Namespace: "web", Name: "a"}); !ok || uid != "web/a" {
		t.Error("a claim of a credential that is gone before it is looked at stays")
	}
}
