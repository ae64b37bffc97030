package secretstore_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/tokensync/tokensync/internal/kubeapi"
	"github.com/tokensync/tokensync/internal/secretstore"
)

const (
	secretsPath = "/api/v1/namespaces/web/secrets"
	minePath    = secretsPath + "/mine"
)

// request is one that the API server was sent.
type request struct {
	method, path, contentType string
	query                     url.Values
	body                      []byte
}

// secret is the Secret in the body.
func (r request) secret(t *testing.T) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	if err := json.Unmarshal(r.body, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

// is tells the method and the path from those that are wanted.
func (r request) is(t *testing.T, method, path string) {
	t.Helper()
	if r.method != method || r.path != path {
		t.Errorf("sent %s %s, want %s %s", r.method, r.path, method, path)
	}
}

// hasQuery compares the query with one that is wanted.
func (r request) hasQuery(t *testing.T, want string) {
	t.Helper()
	if got := r.query.Encode(); got != want {
		t.Errorf("%s %s has the query %q, want %q", r.method, r.path, got, want)
	}
}

// sends compares the whole of a body with one that is wanted: what is applied and should not
// be would be owned.
func (r request) sends(t *testing.T, want map[string]any) {
	t.Helper()
	got := map[string]any{}
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s %s sends other than wanted (-want +got):\n%s", r.method, r.path, diff)
	}
}

// isApply checks that a Secret is applied, with a query that names the manager.
func (r request) isApply(t *testing.T, query string) {
	t.Helper()
	r.is(t, http.MethodPatch, minePath)
	r.hasQuery(t, query)
	if r.contentType != "application/apply-patch+yaml" {
		t.Errorf("it is sent as %s", r.contentType)
	}
}

// isDelete checks that exactly the Secret with a UID and a version is deleted.
func (r request) isDelete(t *testing.T, uid, version string) {
	t.Helper()
	r.is(t, http.MethodDelete, minePath)
	r.sends(t, map[string]any{
		"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": map[string]any{"uid": uid, "resourceVersion": version},
	})
}

// newStore is a store with an API server that gives one answer to each request: a Secret, or
// a status. The requests are to be read when all is done.
func newStore(t *testing.T, answers ...any) (secretstore.Store, *[]request) {
	t.Helper()
	var sent []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent = append(sent, request{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.URL.Query(), body})
		if len(sent) > len(answers) {
			t.Errorf("there is no answer to %s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		answer := answers[len(sent)-1]
		w.Header().Set("Content-Type", "application/json")
		if status, ok := answer.(*metav1.Status); ok && status.Code != 0 {
			w.WriteHeader(int(status.Code))
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		if len(sent) < len(answers) {
			t.Errorf("%d requests were sent, want %d", len(sent), len(answers))
		}
	})
	return storeAt(t, server.URL), &sent
}

// storeAt is a store with the API server at a URL.
func storeAt(t *testing.T, server string) secretstore.Store {
	t.Helper()
	core, err := kubeapi.Core(&rest.Config{Host: server}, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return secretstore.Store{API: core}
}

// stored is a Secret as the API server answers it.
func stored(metadata metav1.ObjectMeta) *corev1.Secret {
	metadata.Namespace = "web"
	if metadata.Name == "" {
		metadata.Name = "mine"
	}
	return &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metadata, Type: corev1.SecretTypeOpaque}
}

// status is a refusal by the API server, with the fields that it names.
func status(code int32, reason metav1.StatusReason, fields ...string) *metav1.Status {
	answer := &metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: code, Reason: reason, Message: "r3fresh does not please me",
		Details: &metav1.StatusDetails{Kind: "secrets"},
	}
	for _, field := range fields {
		answer.Details.Causes = append(answer.Details.Causes, metav1.StatusCause{Field: field, Message: "r3fresh"})
	}
	return answer
}

// done is the answer to what has nothing else to say.
func done() *metav1.Status {
	return &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess}
}
