package chart_test

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// aggregation begins the labels by which a role joins one of the cluster's.
const aggregation = "rbac.authorization.k8s.io/"

var (
	looking = cached
	writing = []string{"create", "update", "patch", "delete", "deletecollection"}
)

// What the cluster's roles for people gain by the roles of the chart, which the API
// server is asked about as if it had joined them.
func TestPeopleMayDoWhatTheirRolesSay(t *testing.T) {
	newNamespace(t, "users")
	newNamespace(t, "users-other")
	roles := render(t, "users")
	apply(t, "users", slices.Concat(only(roles, "ClusterRole"), only(roles, "ServiceAccount")))
	// Whoever has edit or admin has what view has, too.
	for user, joined := range map[string][]string{
		"view": {"view"}, "edit": {"view", "edit"}, "admin": {"view", "edit", "admin"},
	} {
		names := joinedBy(roles, joined)
		if len(names) == 0 {
			t.Errorf("no role joins %s", user)
		}
		for _, name := range names {
			bind(t, "users", user, name)
		}
	}
	for _, resource := range []string{"oauthcredentials", "oauthproviders"} {
		for user, writes := range map[string]bool{"view": false, "edit": true, "admin": true} {
			mayAll(t, true, user, "users", []need{{"tokensync.dev", resource, looking, ""}})
			mayAll(t, writes, user, "users", []need{{"tokensync.dev", resource, writing, ""}})
			mayAll(t, false, user, "users", []need{{"tokensync.dev", resource + "/status", writing, ""}})
			mayAll(t, false, user, "users-other", []need{{"tokensync.dev", resource, slices.Concat(looking, writing), ""}})
		}
	}
	// A role that is bound in a namespace does not reach objects of the cluster.
	for _, user := range []string{"view", "edit", "admin"} {
		mayAll(t, false, user, "", []need{{"tokensync.dev", "clusteroauthproviders", slices.Concat(looking, writing), ""}})
	}
}

// A ClusterOAuthProvider says where the client secrets of everybody who uses it are
// sent. Even who may write everything in all namespaces may not write one.
func TestOnlyClusterAdministratorsWriteClusterProviders(t *testing.T) {
	newNamespace(t, "users-cluster")
	roles := render(t, "users-cluster", "--set", "fullnameOverride=cluster")
	apply(t, "users-cluster", only(roles, "ClusterRole"))
	for _, name := range joinedBy(roles, []string{"view", "edit", "admin"}) {
		bind(t, "", "everywhere-admin", name)
	}
	mayAll(t, true, "everywhere-admin", "", []need{{"tokensync.dev", "clusteroauthproviders", looking, ""}})
	mayAll(t, false, "everywhere-admin", "", []need{{"tokensync.dev", "clusteroauthproviders", writing, ""}})
	mayAll(t, false, "everywhere-admin", "", []need{{"tokensync.dev", "clusteroauthproviders/status", writing, ""}})
}

// joinedBy are the names of the roles that join one of the given ones.
func joinedBy(objects []*unstructured.Unstructured, joined []string) []string {
	var names []string
	for _, role := range only(objects, "ClusterRole") {
		for label := range role.GetLabels() {
			if to, found := strings.CutPrefix(label, aggregation+"aggregate-to-"); found && slices.Contains(joined, to) {
				names = append(names, role.GetName())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// bind gives a user a role, in a namespace or, without one, everywhere.
func bind(t *testing.T, namespace, user, role string) {
	t.Helper()
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}
	reference := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	meta := metav1.ObjectMeta{Namespace: namespace, Name: user + "-" + role}
	var binding client.Object = &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: reference, Subjects: subjects}
	if namespace == "" {
		binding = &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: reference, Subjects: subjects}
	}
	if err := controlPlane(t).Client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
}
