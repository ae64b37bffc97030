package kube

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write puts a file into a directory of the test.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u, namespace: of-the-context}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
`

func TestConnect(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	file := write(t, "kubeconfig", kubeconfig)
	for name, test := range map[string]struct {
		options   Options
		namespace string
		err       string
	}{
		"the context's namespace": {options: Options{Kubeconfig: file}, namespace: "of-the-context"},
		"a namespace of its own":  {options: Options{Kubeconfig: file, Namespace: "named"}, namespace: "named"},
		"no cluster":              {err: "--kubeconfig"},
		"no such file":            {options: Options{Kubeconfig: file + "-not"}, err: file + "-not"},
		"no kubeconfig":           {options: Options{Kubeconfig: write(t, "odd", "kind: Secret")}, err: "--kubeconfig: read"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := Connect(test.options)
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v", err)
				}
			case err != nil:
				t.Error(err)
			case client.Namespace != test.namespace:
				t.Errorf("got %q", client.Namespace)
			}
		})
	}
}

// Each request carries the token that the file holds at that time.
func TestNewReadsTheTokenEachTime(t *testing.T) {
	var got []http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	file := write(t, "token", "first\n")
	config := &rest.Config{Host: server.URL, BearerToken: "stale", BearerTokenFile: file}
	client, err := New(config, "apps", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ask := func() error { return client.Core.Get().Resource("secrets").Do(t.Context()).Error() }
	if err := ask(); err == nil {
		t.Error("no error")
	}
	if err := os.WriteFile(file, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err == nil {
		t.Error("no error")
	}
	if len(got) != 2 || got[0].Get("Authorization") != "Bearer first" || got[1].Get("Authorization") != "Bearer second" {
		t.Errorf("got %v", got)
	}
	if agent := got[0].Get("User-Agent"); !strings.HasPrefix(agent, "tokensync-sidecar/1.2.3 (") {
		t.Errorf("called itself %q", agent)
	}
	if config.BearerTokenFile != file || config.UserAgent != "" {
		t.Error("the configuration was changed")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err == nil || !strings.Contains(err.Error(), "read the token of the ServiceAccount") || len(got) != 2 {
		t.Errorf("without a token: %v", err)
	}
}

func TestManifest(t *testing.T) {
	client := &Client{Namespace: "apps", account: account{namespace: "pods", name: "api"}}
	got := client.Manifest("1e3",
		Right{Resource: "secrets", Name: "1e3", Verbs: []string{"get", "list", "watch"}},
		Right{Group: "coordination.k8s.io", Resource: "leases", Verbs: []string{"create"}})
	const want = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: "tokensync-sidecar-1e3"
  namespace: "apps"
rules:
- apiGroups: [""]
  resources: ["secrets"]
  resourceNames: ["1e3"]
  verbs: ["get", "list", "watch"]
- apiGroups: ["coordination.k8s.io"]
  resources: ["leases"]
  verbs: ["create"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: "tokensync-sidecar-1e3"
  namespace: "apps"
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: "tokensync-sidecar-1e3"
subjects:
- kind: ServiceAccount
  name: "api"
  namespace: "pods"
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
	for document := range strings.SplitSeq(got, "---\n") {
		var read map[string]any
		if err := yaml.UnmarshalStrict([]byte(document), &read); err != nil {
			t.Error(err)
		}
	}
}

// Whom to grant the rights to is left to be filled in, where it is not known.
func TestManifestWithoutAnAccount(t *testing.T) {
	client := &Client{Namespace: "apps"}
	if got := client.Manifest("api"); !strings.Contains(got, `name: "<of the pod>"`) {
		t.Errorf("got\n%s", got)
	}
}
