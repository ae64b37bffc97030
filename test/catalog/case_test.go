package catalog

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

const (
	manifests = "../../config/catalog"
	// clientSecret is what the Secret of a client holds, unless a file says otherwise.
	// It has the characters that encodings change.
	clientSecret = "s+e/c="
	// refreshToken is what a grant that is kept has to send.
	refreshToken = "rt-1"
)

// scenario is a file of testdata.
type scenario struct {
	// Credential is in place of the example where a provider has none.
	Credential *v1alpha1.OAuthCredential `json:"credential"`
	// Secrets are the data of Secrets by name.
	Secrets map[string]map[string]string `json:"secrets"`

	Method string `json:"method"`
	// Issuer is where the metadata are that name URL.
	Issuer string `json:"issuer"`
	URL    string `json:"url"`
	// Basic is what Basic authentication says before it is in base64.
	Basic   string            `json:"basic"`
	Headers map[string]string `json:"headers"`
	// Form, JSON and Query are all parameters of the request; without one of them
	// there are none.
	Form  map[string]string `json:"form"`
	JSON  map[string]string `json:"json"`
	Query map[string]string `json:"query"`
	// Assertion are claims of the JWT among the parameters.
	Assertion map[string]string `json:"assertion"`
	// Certificate says that the client presents one.
	Certificate bool `json:"certificate"`

	Answers []answer `json:"answers"`
}

// answer is what the provider answers, and what is to be made of it.
type answer struct {
	Name    string            `json:"name"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`

	Token        string            `json:"token"`
	RefreshToken string            `json:"refresh_token"`
	Scope        string            `json:"scope"`
	Lifetime     string            `json:"lifetime"`
	Extra        map[string]string `json:"extra"`
	Data         map[string]string `json:"data"`

	Error *failure `json:"error"`
}

// failure is an *oauth.Error. What is left out is empty, but for the description,
// which may then be anything.
type failure struct {
	Kind        string `json:"kind"`
	Code        string `json:"code"`
	Description string `json:"description"`
	RetryAfter  string `json:"retry_after"`
}

// providers are the names of all providers of the catalog.
func providers(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(manifests, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); name != "kustomization" {
			names = append(names, name)
		}
	}
	return names
}

// decode reads a YAML file, strictly. It tells whether there is one.
func decode(t *testing.T, path string, into any) bool {
	t.Helper()
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = yaml.UnmarshalStrict(content, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return true
}

// load reads a provider, the credential that is replayed with it, and what is
// expected.
func load(t *testing.T, name string) (*v1alpha1.ClusterOAuthProvider, *v1alpha1.OAuthCredential, *scenario) {
	t.Helper()
	provider, credential, s := &v1alpha1.ClusterOAuthProvider{}, &v1alpha1.OAuthCredential{}, &scenario{}
	decode(t, filepath.Join(manifests, name+".yaml"), provider)
	if !decode(t, filepath.Join("testdata", name+".yaml"), s) {
		t.Fatalf("testdata/%s.yaml is missing: every provider of the catalog has a test", name)
	}
	exists := decode(t, filepath.Join(manifests, "examples", name+".yaml"), credential)
	switch {
	case exists == (s.Credential != nil):
		t.Fatalf("%s has an example: %t, and a credential of its own in testdata: %t", name, exists, s.Credential != nil)
	case !exists:
		credential = s.Credential
		credential.Name = name
	}
	credential.Namespace = "web"
	if credential.Spec.GrantType == "" { // as the schema has it
		credential.Spec.GrantType = v1alpha1.GrantClientCredentials
	}
	return provider, credential, s
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func mustDuration(t *testing.T, text string) time.Duration {
	t.Helper()
	if text == "" {
		return 0
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return duration
}
