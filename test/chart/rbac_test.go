package chart_test

import (
	"reflect"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The rights of the operator are written once, in config/rbac, and the chart
// renders them in either mode.
func TestChartGrantsWhatTheManifestsGrant(t *testing.T) {
	everywhere := render(t, "tokensync-system")
	for _, manifest := range []string{
		"role.yaml", "leader_election_role.yaml", "credential_viewer_role.yaml", "credential_editor_role.yaml",
	} {
		source := decode(t, read(t, "config", "rbac", manifest))[0]
		rendered := one(t, everywhere, source.GetKind(), source.GetName())
		sameRules(t, source, rendered)
		for key, value := range source.GetLabels() {
			if strings.HasPrefix(key, "rbac.authorization.k8s.io/") && rendered.GetLabels()[key] != value {
				t.Errorf("%s of the chart lacks the label %s", describe(rendered), key)
			}
		}
	}

	operator := decode(t, read(t, "config", "rbac", "role.yaml"))[0]
	roles := 0
	for _, role := range only(render(t, "tokensync-system", "--set", "watchNamespaces={team-a,team-b}"), "Role") {
		if role.GetNamespace() != "tokensync-system" {
			sameRules(t, operator, role)
			roles++
		}
	}
	if roles != 2 {
		t.Errorf("%d Roles for two namespaces", roles)
	}
}

// Who may not touch the cluster can install the chart into namespaces.
func TestWatchNamespacesNeedsNoClusterRights(t *testing.T) {
	allowed := map[string]bool{
		"Deployment": true, "NetworkPolicy": true, "Pod": true, "PodDisruptionBudget": true,
		"Role": true, "RoleBinding": true, "Service": true, "ServiceAccount": true, "ServiceMonitor": true,
	}
	// Everything on, so that nothing that could be rendered is missed.
	values := []string{"--values", path(chartDir, "ci", "everything-values.yaml"), "--set", "watchNamespaces={team-a,team-b}"}
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

// The API server's own authorizer says what the operator may do.
func TestOperatorMayDoWhatItMust(t *testing.T) {
	for _, namespace := range []string{"rbac-everywhere", "rbac-some", "rbac-watched", "rbac-other"} {
		newNamespace(t, namespace)
	}
	apply(t, "", render(t, "rbac-everywhere"))
	apply(t, "", render(t, "rbac-some", "--set", "watchNamespaces={rbac-watched}", "--set", "fullnameOverride=some"))
	everywhere := "system:serviceaccount:rbac-everywhere:tokensync-operator"
	some := "system:serviceaccount:rbac-some:some-operator"

	for _, namespace := range []string{"", "rbac-everywhere", "rbac-other"} {
		may(t, true, everywhere, namespace, "list", "", "secrets", "")
		may(t, true, everywhere, namespace, "watch", "tokensync.dev", "oauthcredentials", "")
	}
	may(t, true, everywhere, "rbac-everywhere", "update", "coordination.k8s.io", "leases", "tokensync-operator")
	may(t, true, everywhere, "rbac-everywhere", "create", "coordination.k8s.io", "leases", "")
	may(t, false, everywhere, "rbac-everywhere", "update", "coordination.k8s.io", "leases", "another")
	may(t, false, everywhere, "rbac-other", "create", "coordination.k8s.io", "leases", "")
	may(t, false, everywhere, "rbac-other", "delete", "tokensync.dev", "oauthcredentials", "a")
	may(t, false, everywhere, "rbac-other", "create", "", "pods", "")
	may(t, false, everywhere, "rbac-other", "impersonate", "", "serviceaccounts", "a")

	may(t, true, some, "rbac-watched", "list", "", "secrets", "")
	may(t, true, some, "rbac-watched", "patch", "tokensync.dev", "oauthcredentials/status", "a")
	may(t, true, some, "rbac-some", "create", "coordination.k8s.io", "leases", "")
	for _, namespace := range []string{"", "rbac-some", "rbac-other"} {
		may(t, false, some, namespace, "list", "", "secrets", "")
		may(t, false, some, namespace, "list", "tokensync.dev", "oauthcredentials", "")
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
	if err := controlPlane(t).Client.Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	if review.Status.Allowed != want {
		t.Errorf("%s may %s %s %q in namespace %q: %v", user, verb, resource, name, namespace, review.Status.Allowed)
	}
}

func sameRules(t *testing.T, want, got *unstructured.Unstructured) {
	t.Helper()
	if len(want.Object["rules"].([]any)) == 0 || !reflect.DeepEqual(want.Object["rules"], got.Object["rules"]) {
		t.Errorf("%s holds the rules\n%v\nand %s of the chart\n%v", describe(want), want.Object["rules"], describe(got), got.Object["rules"])
	}
}
