package chart_test

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// proofs are what breaks without each right of the operator.
var proofs = map[string]scenario{
	"oauthcredentials.tokensync.dev/get":          makesGrantAnew,
	"oauthcredentials.tokensync.dev/list":         getsToken,
	"oauthcredentials.tokensync.dev/watch":        hearsOf("oauthcredentials", "by-provider}", "by-provider, annotations: {tokensync.dev/refresh-requested-at: now}}"),
	"oauthcredentials.tokensync.dev/patch":        holdsForRevocation,
	"oauthcredentials.tokensync.dev/status/patch": reportsOnCredential,

	"oauthproviders.tokensync.dev/list":         getsToken,
	"oauthproviders.tokensync.dev/watch":        hearsOf("oauthproviders", "$URL", "$URL/another"),
	"oauthproviders.tokensync.dev/status/patch": reportsOnProvider,

	"secrets/get":    getsToken,
	"secrets/list":   getsToken,
	"secrets/watch":  hearsOf("secrets", "s3cret", "another"),
	"secrets/create": getsToken,
	"secrets/patch":  getsToken,
	"secrets/delete": removesFormerSecret,

	"configmaps/get":   getsToken,
	"configmaps/list":  getsToken,
	"configmaps/watch": hearsOfMendedCA,

	"events.events.k8s.io/create": recordsEvent,
	"events.events.k8s.io/patch":  countsEvents,

	"serviceaccounts/get":          getsTokenByAccount,
	"serviceaccounts/token/create": getsTokenByAccount,

	"leases.coordination.k8s.io/create": getsToken,
	"leases.coordination.k8s.io/get":    getsToken,
	"leases.coordination.k8s.io/update": followsLeader,
	"events/create":                     reportsWhoLeads,
	"pods/get":                          takesOver,

	"clusteroauthproviders.tokensync.dev/list":         getsTokenByClusterProvider,
	"clusteroauthproviders.tokensync.dev/watch":        hearsOf("clusteroauthproviders", "$URL", "$URL/another"),
	"clusteroauthproviders.tokensync.dev/status/patch": reportsOnClusterProvider,

	"namespaces/get":   leavesGrantOfAnotherCluster,
	"namespaces/list":  getsTokenByClusterProvider,
	"namespaces/watch": hearsOfNamespace,
}

// placeholder stands for the namespace, and the name, of a release that is yet to be.
const placeholder = "least-placeholder"

// calm is how long it is watched that nothing comes of what was refused: more than an
// operator needs that has the right.
const calm = time.Second

// least has what the tests of single rights share.
type least struct {
	provider *httptest.Server
	// everywhere and some are the chart for all namespaces, and for that of the release.
	everywhere, some string
}

// Each right of the operator is taken away in turn: the API server refuses that right
// and no other, and what the right is for does not come about. With all rights it does.
func TestLeast(t *testing.T) {
	t.Parallel()
	values := []string{"--set", "fullnameOverride=" + placeholder, "--set", "serviceAccountTokens.enabled=true"}
	l := &least{
		provider:   httptest.NewTLSServer(losingHandler(t, rotate())),
		everywhere: template(t, placeholder, values...),
		some:       template(t, placeholder, append(values, "--set", "watchNamespaces={"+placeholder+"}")...),
	}
	t.Cleanup(l.provider.Close)
	for _, s := range scenarios() {
		t.Run("with all rights it "+s.promise, func(t *testing.T) {
			s.parallel(t)
			l.holds(t, s)
		})
	}
	granted := granted(t, l.everywhere)
	for name := range proofs {
		if _, ok := granted[name]; !ok {
			t.Errorf("the chart does not grant %s: take its proof away, too", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(granted)) {
		t.Run(name, func(t *testing.T) {
			s, ok := proofs[name]
			if !ok {
				t.Fatalf("nothing breaks without %s: drop it from the chart and from config/rbac, or tell here what does", name)
			}
			s.parallel(t)
			l.breaks(t, s, granted[name])
		})
	}
}

// scenarios are those of the proofs, each once.
func scenarios() []scenario {
	byPromise := map[string]scenario{}
	for _, s := range proofs {
		byPromise[s.promise] = s
	}
	return slices.SortedFunc(maps.Values(byPromise), func(a, b scenario) int { return strings.Compare(a.promise, b.promise) })
}

// holds plays a scenario with all rights, none of which is lacking then.
func (l *least) holds(t *testing.T, s scenario) {
	t.Helper()
	at := l.play(t, s, right{})
	at.awaits("the operator, which "+s.promise, s.then)
	at.operator.wasRefused(t)
}

// breaks plays a scenario without a right.
func (l *least) breaks(t *testing.T, s scenario, without right) {
	t.Helper()
	at := l.play(t, s, without)
	waitFor(t, "the API server to refuse "+without.String(), func(ctx context.Context) (bool, error) {
		err := s.isBroken(ctx, at)
		return audited(t, at.operator.user).refused[without], err
	})
	const looks = 10
	ticker := time.NewTicker(calm / looks)
	defer ticker.Stop()
	for range looks {
		<-ticker.C
		if err := s.isBroken(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	at.operator.wasRefused(t, without)
}

// isBroken fails the test when a scenario's promise is kept.
func (s scenario) isBroken(ctx context.Context, at *stage) error {
	at.t.Helper()
	kept, err := s.then(ctx, at)
	if kept {
		at.t.Fatalf("nothing breaks: the operator %s all the same", s.promise)
	}
	return err
}

// play goes through a scenario up to what is to come of it.
func (l *least) play(t *testing.T, s scenario, without right) *stage {
	t.Helper()
	namespace, err := controlPlane(t).CreateNamespace(t.Context(), "least")
	if err != nil {
		t.Fatal(err)
	}
	at, chart := &stage{t: t, provider: l.provider, namespace: namespace, everywhere: s.everywhere}, l.some
	if s.everywhere {
		chart = l.everywhere
		at.forgetProvider()
	}
	objects := decode(t, strings.ReplaceAll(chart, placeholder, namespace))
	withhold(t, namespace, objects, without)
	at.label("admitted", "yes")
	at.apply(at.origins())
	if s.given != nil {
		s.given(at)
	}
	// As beside an API server that does not stream lists, such as that of Kubernetes 1.33.
	at.operator = startDeployed(t, namespace, objects, "KUBE_FEATURE_WatchListClient=false")
	if s.when != nil {
		s.when(at)
	}
	return at
}

// granted are the rights that the chart gives to the operator, by their names.
func granted(t *testing.T, chart string) map[string]right {
	t.Helper()
	found := map[string]right{}
	for _, role := range boundRoles(t, decode(t, chart)) {
		for right := range rights(t, role) {
			found[right.String()] = right
		}
	}
	return found
}

// withhold gives the operator its roles without a right, and waits until they count.
func withhold(t *testing.T, namespace string, objects []*unstructured.Unstructured, without right) {
	t.Helper()
	roles := boundRoles(t, objects)
	for _, role := range roles {
		narrow(t, role, without)
	}
	apply(t, namespace, slices.Concat(roles, bindings(objects)))
	user := account(t, namespace, objects)
	for _, role := range roles {
		for right := range rights(t, role) {
			may(t, true, user, namespace, right.verb, right.group, right.resource, "tokensync-operator")
		}
	}
}

// narrow takes a right out of a role.
func narrow(t *testing.T, role *unstructured.Unstructured, without right) {
	t.Helper()
	narrowed := &rbacv1.ClusterRole{}
	for _, rule := range rulesOf(t, role) {
		for _, resource := range rule.Resources {
			one := rule.DeepCopy()
			one.Resources = []string{resource}
			if resource == without.resource && slices.Contains(rule.APIGroups, without.group) {
				one.Verbs = slices.DeleteFunc(one.Verbs, func(verb string) bool { return verb == without.verb })
			}
			if len(one.Verbs) > 0 {
				narrowed.Rules = append(narrowed.Rules, *one)
			}
		}
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(narrowed)
	if err != nil {
		t.Fatal(err)
	}
	role.Object["rules"] = content["rules"]
}

// boundRoles are the roles that bindings give to the operator.
func boundRoles(t *testing.T, objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	var roles []*unstructured.Unstructured
	for _, binding := range bindings(objects) {
		reference := binding.Object["roleRef"].(map[string]any)
		roles = append(roles, one(t, objects, reference["kind"].(string), reference["name"].(string)))
	}
	return roles
}

func bindings(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	return slices.Concat(only(objects, "RoleBinding"), only(objects, "ClusterRoleBinding"))
}
