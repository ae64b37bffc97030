package chart_test

import (
	"context"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
)

// The rights of the operator are written once, in config/rbac, and the chart
// renders them in either mode.
func TestChartGrantsWhatTheManifestsGrant(t *testing.T) {
	everywhere := render(t, "tokensync-system", "--set", "serviceAccountTokens.enabled=true")
	roles, bindings := 0, 0
	for _, source := range handwritten(t) {
		rendered := one(t, everywhere, source.GetKind(), source.GetName())
		if strings.HasSuffix(source.GetKind(), "Binding") {
			sameBinding(t, source, rendered)
			bindings++
			continue
		}
		sameRules(t, source, rendered)
		for key, value := range source.GetLabels() {
			if strings.HasPrefix(key, aggregation) && rendered.GetLabels()[key] != value {
				t.Errorf("%s of the chart lacks the label %s", describe(rendered), key)
			}
		}
		roles++
	}
	if got := len(only(everywhere, "Role")) + len(only(everywhere, "ClusterRole")); got != roles {
		t.Errorf("%d roles in the chart, and %d in config/rbac", got, roles)
	}
	if got := len(only(everywhere, "RoleBinding")) + len(only(everywhere, "ClusterRoleBinding")); got != bindings {
		t.Errorf("%d bindings in the chart, and %d in config/rbac", got, bindings)
	}
}

func TestChartGrantsTheSameInSomeNamespaces(t *testing.T) {
	some := render(t, "tokensync-system",
		"--set", "serviceAccountTokens.enabled=true", "--set", "watchNamespaces={team-a,team-b}")
	for file, name := range map[string]string{
		"role.yaml":                        "tokensync-operator",
		"service_account_tokens_role.yaml": "tokensync-operator-service-account-tokens",
	} {
		source := decode(t, read(t, "config", "rbac", file))[0]
		var namespaces []string
		for _, role := range only(some, "Role") {
			if role.GetName() == name {
				sameRules(t, source, role)
				namespaces = append(namespaces, role.GetNamespace())
			}
		}
		if want := []string{"team-a", "team-b"}; !slices.Equal(namespaces, want) {
			t.Errorf("Roles %s in the namespaces %q, want %q", name, namespaces, want)
		}
	}
}

// Who may not touch the cluster can install the chart into namespaces.
func TestWatchNamespacesNeedsNoClusterRights(t *testing.T) {
	allowed := map[string]bool{
		"ConfigMap": true, "Deployment": true, "NetworkPolicy": true, "Pod": true, "PodDisruptionBudget": true,
		"PrometheusRule": true, "Role": true, "RoleBinding": true, "Service": true, "ServiceAccount": true,
		"ServiceMonitor": true,
	}
	// Everything on, so that nothing that could be rendered is missed; but for the
	// catalog and the injection, which the chart refuses then.
	values := []string{
		"--values", path(chartDir, "ci", "everything-values.yaml"),
		"--set", "watchNamespaces={team-a,team-b}", "--set", "catalog.enabled=false", "--set", "sidecar.injection.enabled=false",
	}
	for _, object := range render(t, "team-a", values...) {
		switch {
		case object.GetKind() == crdKind:
		case !allowed[object.GetKind()]:
			t.Errorf("%s is not of a namespace", describe(object))
		case object.GetNamespace() == "":
			t.Errorf("%s names no namespace", describe(object))
		}
	}
	for _, object := range render(t, "team-a", append(values, "--set", "crds.enabled=false")...) {
		if object.GetKind() == crdKind {
			t.Errorf("%s in spite of crds.enabled=false", describe(object))
		}
	}
}

// A right that no need explains is one too many, and a need without its right breaks
// what it is for.
func TestOperatorHasNoRightThatItDoesNotNeed(t *testing.T) {
	for file, needs := range map[string][]need{
		"role.yaml":                        inScope,
		"cluster_providers_role.yaml":      forClusterProviders,
		"service_account_tokens_role.yaml": forServiceAccountTokens,
		"leader_election_role.yaml":        forReplicas,
	} {
		granted := rights(t, decode(t, read(t, "config", "rbac", file))[0])
		wanted := map[right]bool{}
		for _, n := range needs {
			for _, verb := range n.verbs {
				right := right{n.group, n.resource, verb}
				wanted[right] = true
				if !granted[right] {
					t.Errorf("%s does not grant %s, without which the operator cannot %s", file, right, n.purpose)
				}
			}
		}
		for right := range granted {
			if !wanted[right] {
				t.Errorf("%s grants %s, for which there is no need", file, right)
			}
		}
	}
}

// The API server's own authorizer says what the operator may do.
func TestOperatorMayDoWhatItMust(t *testing.T) {
	for _, namespace := range []string{"rbac-everywhere", "rbac-tokens", "rbac-some", "rbac-watched", "rbac-other", "rbac-alone"} {
		newNamespace(t, namespace)
	}
	apply(t, "", render(t, "rbac-everywhere"))
	apply(t, "", render(t, "rbac-tokens",
		"--set", "fullnameOverride=tokens", "--set", "serviceAccountTokens.enabled=true"))
	apply(t, "", render(t, "rbac-some",
		"--set", "fullnameOverride=some", "--set", "serviceAccountTokens.enabled=true",
		"--set", "watchNamespaces={rbac-watched}"))
	apply(t, "", render(t, "rbac-alone", "--set", "fullnameOverride=alone", "--set", "leaderElection.enabled=false"))
	everywhere := "system:serviceaccount:rbac-everywhere:tokensync-operator"
	tokens := "system:serviceaccount:rbac-tokens:tokens-operator"
	some := "system:serviceaccount:rbac-some:some-operator"

	for _, namespace := range []string{"", "rbac-everywhere", "rbac-other"} {
		mayAll(t, true, everywhere, namespace, inScope)
		mayAll(t, false, everywhere, namespace, forServiceAccountTokens)
		mayAll(t, true, tokens, namespace, slices.Concat(inScope, forServiceAccountTokens))
	}
	mayAll(t, true, everywhere, "", forClusterProviders)
	may(t, true, everywhere, "rbac-everywhere", "update", "coordination.k8s.io", "leases", "tokensync-operator")
	may(t, true, everywhere, "rbac-everywhere", "create", "coordination.k8s.io", "leases", "")
	may(t, false, everywhere, "rbac-everywhere", "update", "coordination.k8s.io", "leases", "another")
	may(t, false, everywhere, "rbac-other", "create", "coordination.k8s.io", "leases", "")
	may(t, false, everywhere, "rbac-other", "delete", "tokensync.dev", "oauthcredentials", "a")
	may(t, false, everywhere, "", "patch", "tokensync.dev", "clusteroauthproviders", "a")
	may(t, false, everywhere, "", "patch", "", "namespaces", "a")
	may(t, false, everywhere, "rbac-other", "create", "", "pods", "")
	may(t, false, everywhere, "rbac-other", "update", "tokensync.dev", "oauthcredentials", "a")
	may(t, false, tokens, "rbac-other", "impersonate", "", "serviceaccounts", "a")
	may(t, false, tokens, "rbac-other", "patch", "", "serviceaccounts", "a")

	mayAll(t, true, some, "rbac-watched", slices.Concat(inScope, forServiceAccountTokens))
	may(t, true, some, "rbac-some", "create", "coordination.k8s.io", "leases", "")
	for _, namespace := range []string{"", "rbac-some", "rbac-other"} {
		mayAll(t, false, some, namespace, slices.Concat(inScope, forServiceAccountTokens))
	}
	mayAll(t, false, some, "", forClusterProviders)

	// Whether the pod that has sent a refresh token lives, with an election and without.
	for user, namespace := range map[string]string{
		everywhere: "rbac-everywhere", some: "rbac-some", "system:serviceaccount:rbac-alone:alone-operator": "rbac-alone",
	} {
		may(t, true, user, namespace, "get", "", "pods", "a")
		may(t, false, user, namespace, "list", "", "pods", "")
		may(t, false, user, "rbac-other", "get", "", "pods", "a")
		may(t, false, user, "rbac-watched", "get", "", "pods", "a")
	}
	may(t, false, "system:serviceaccount:rbac-alone:alone-operator", "rbac-alone", "create", "coordination.k8s.io", "leases", "")
}

// The optional manifests of config/rbac are in no kustomization.
func TestAPIServerTakesTheOptionalRights(t *testing.T) {
	newNamespace(t, "rbac-optional")
	for _, file := range []string{"service_account_tokens_role.yaml", "service_account_tokens_role_binding.yaml"} {
		apply(t, "rbac-optional", decode(t, read(t, "config", "rbac", file)))
	}
	mayAll(t, true, "system:serviceaccount:tokensync-system:tokensync-operator", "rbac-optional", forServiceAccountTokens)
}

// handwritten are the roles and bindings of config/rbac.
func handwritten(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	var found []*unstructured.Unstructured
	for _, pattern := range []string{"*role.yaml", "*role_binding.yaml"} {
		files, err := filepath.Glob(path("config", "rbac", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s in config/rbac: %q, %v", pattern, files, err)
		}
		for _, file := range files {
			found = append(found, decode(t, read(t, "config", "rbac", filepath.Base(file)))...)
		}
	}
	return found
}

func mayAll(t *testing.T, want bool, user, namespace string, needs []need) {
	t.Helper()
	for _, n := range needs {
		for _, verb := range n.verbs {
			may(t, want, user, namespace, verb, n.group, n.resource, "")
		}
	}
}

func may(t *testing.T, want bool, user, namespace, verb, group, resource, name string) {
	t.Helper()
	resource, subresource, _ := strings.Cut(resource, "/")
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: subresource, Name: name,
		},
	}}
	// The authorizer hears of roles and bindings a moment after they are applied.
	const moment, again = 5 * time.Second, 50 * time.Millisecond
	err := wait.PollUntilContextTimeout(t.Context(), again, moment, true, func(ctx context.Context) (bool, error) {
		err := controlPlane(t).Client.Create(ctx, review)
		return review.Status.Allowed == want, err
	})
	if err != nil && !wait.Interrupted(err) {
		t.Fatal(err)
	}
	if review.Status.Allowed != want {
		t.Errorf("%s may %s %s/%s %q in namespace %q: %v",
			user, verb, resource, subresource, name, namespace, review.Status.Allowed)
	}
}

func sameRules(t *testing.T, want, got *unstructured.Unstructured) {
	t.Helper()
	if len(want.Object["rules"].([]any)) == 0 || !reflect.DeepEqual(want.Object["rules"], got.Object["rules"]) {
		t.Errorf("%s holds the rules\n%v\nand %s of the chart\n%v",
			describe(want), want.Object["rules"], describe(got), got.Object["rules"])
	}
}

func sameBinding(t *testing.T, want, got *unstructured.Unstructured) {
	t.Helper()
	for _, key := range []string{"roleRef", "subjects"} {
		if !reflect.DeepEqual(want.Object[key], got.Object[key]) {
			t.Errorf("%s has the %s\n%v\nand %s of the chart\n%v",
				describe(want), key, want.Object[key], describe(got), got.Object[key])
		}
	}
}

// rights are what a role grants, be it on all objects or on some by their names. It must
// grant nothing by a wildcard.
func rights(t *testing.T, role *unstructured.Unstructured) map[right]bool {
	t.Helper()
	found := map[right]bool{}
	for _, rule := range rulesOf(t, role) {
		if len(rule.NonResourceURLs) > 0 {
			t.Fatalf("%s grants the URLs %q", describe(role), rule.NonResourceURLs)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					found[right{group, resource, verb}] = true
				}
			}
		}
	}
	return found
}

// rulesOf are the rules of a role, of a namespace or not.
func rulesOf(t *testing.T, role *unstructured.Unstructured) []rbacv1.PolicyRule {
	t.Helper()
	typed := &rbacv1.ClusterRole{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(role.Object, typed); err != nil {
		t.Fatal(err)
	}
	return typed.Rules
}
