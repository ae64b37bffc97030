package chart_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// stage is where a scenario is played: one namespace is the operator's own, and has the
// credentials, too.
type stage struct {
	t          *testing.T
	provider   *httptest.Server
	namespace  string
	everywhere bool
	operator   *running
	stirred    int
	// before is the token that there was before something changed.
	before string
}

// admitting ends the spec of a ClusterOAuthProvider.
const admitting = `
  allowedNamespaces: {matchLabels: {admitted: "yes"}}
`

// origins are a provider, of the namespace or of the cluster, and credentials.
func (at *stage) origins() string {
	if at.everywhere {
		return shared + admitting + "---" + tenant
	}
	return shared + "---\n" + tenant
}

// forgetProvider deletes the ClusterOAuthProvider of another test, and with it its status.
func (at *stage) forgetProvider() {
	at.t.Helper()
	err := controlPlane(at.t).Client.Delete(at.t.Context(), object("ClusterOAuthProvider", "", "shared"))
	if client.IgnoreNotFound(err) != nil {
		at.t.Fatal(err)
	}
}

// apply applies manifests.
func (at *stage) apply(text string) {
	at.t.Helper()
	kind := "OAuthProvider"
	if at.everywhere {
		kind = "ClusterOAuthProvider"
	}
	apply(at.t, at.namespace, manifest(at.t, at.provider, kind, text))
}

// stir makes a provider, and changes its Secret again and again meanwhile: the operator
// looks at it anew before it has heard of its own last report, and reports the same.
func (at *stage) stir() {
	at.t.Helper()
	at.stirred++
	objects := manifest(at.t, at.provider, "OAuthProvider", shared)
	objects[2].SetName(fmt.Sprintf("shared-%d", at.stirred))
	apply(at.t, at.namespace, objects[2:])
	for i := range 10 {
		objects[0].SetLabels(map[string]string{"stirred": strconv.Itoa(i)})
		apply(at.t, at.namespace, objects[:1])
	}
}

// label labels the namespace.
func (at *stage) label(key, value string) {
	at.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: at.namespace}}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, key, value))
	if err := controlPlane(at.t).Client.Patch(at.t.Context(), namespace, patch); err != nil {
		at.t.Fatal(err)
	}
}

// read reads a key of a Secret, empty where there is none.
func (at *stage) read(ctx context.Context, secret, key string) (string, error) {
	at.t.Helper()
	found := &corev1.Secret{}
	err := controlPlane(at.t).Client.Get(ctx, client.ObjectKey{Namespace: at.namespace, Name: secret}, found)
	return string(found.Data[key]), client.IgnoreNotFound(err)
}

// awaits waits until something is so.
func (at *stage) awaits(what string, is check) {
	at.t.Helper()
	waitFor(at.t, what, func(ctx context.Context) (bool, error) { return is(ctx, at) })
}
