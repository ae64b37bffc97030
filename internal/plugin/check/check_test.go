package check_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/plugin/check"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/test/standin"
)

const (
	clientSecret = "s3cret-of-the-client/+="
	appToken     = "dGhlIGFwcCB0b2tlbg=="
)

// loopback are the flags that let a check ask a provider on this machine.
var loopback = []string{"--egress-allow-cidr=127.0.0.0/8", "--allow-insecure-http"}

// run runs the command without a cluster, and answers what it prints.
func run(t *testing.T, stdin string, arguments ...string) (out, errOut string, err error) {
	t.Helper()
	config := genericclioptions.NewConfigFlags(false)
	config.KubeConfig = new(filepath.Join(t.TempDir(), "none"))
	var printed, told bytes.Buffer
	command := check.NewCommand(&cli.Environment{
		IOStreams: genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &printed, ErrOut: &told},
		Config:    config,
		Clock:     clock.RealClock{},
		Random:    strings.NewReader(strings.Repeat("r", 1<<10)),
	})
	command.SetArgs(arguments)
	command.SilenceErrors, command.SilenceUsage = true, true
	err = command.ExecuteContext(t.Context())
	return printed.String(), told.String(), err
}

func provider(t *testing.T, server *standin.Server) string {
	t.Helper()
	url, stop, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

const syncplicity = `apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {name: syncplicity}
spec:
  tokenURL: BASE/oauth/token
  clientAuthentication: {method: client_secret_basic, basicEncoding: Raw}
  response:
    error: 'has(body.ErrorCode) ? body.ErrorCode : body.error'
    errorDescription: 'has(body.Error) ? body.Error : body.error_description'
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: files, namespace: web}
spec:
  providerRef: {kind: ClusterOAuthProvider, name: syncplicity}
  client:
    idRef: {name: syncplicity, key: app_key}
    secretRef: {name: syncplicity, key: app_secret}
  request:
    headers:
    - name: Sync-App-Token
      valueFrom: {secretKeyRef: {name: syncplicity, key: app_token}}
  secret:
    data:
      authorization: '"Bearer " + token.access_token'
---
apiVersion: v1
kind: Secret
metadata: {name: syncplicity, namespace: web}
stringData: {app_key: key-17, app_secret: "` + clientSecret + `", app_token: "` + appToken + `"}
`

// syncplicityFor is the manifest for a provider that runs here.
func syncplicityFor(t *testing.T, server *standin.Server) string {
	t.Helper()
	return strings.ReplaceAll(syncplicity, "BASE", provider(t, server))
}

func TestAManifestThatWorks(t *testing.T) {
	t.Parallel()
	server := standin.NewSyncplicity(standin.Options{Clients: map[string]string{"key-17": clientSecret}})
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(syncplicityFor(t, server)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut, err := run(t, "", append(loopback, "-f", file)...)
	if err != nil {
		t.Fatalf("got %v\n%s%s", err, out, errOut)
	}
	for _, want := range []string{
		"web/files\n", `provider    ClusterOAuthProvider "syncplicity"`, "client      client_secret_basic, id key-17",
		"Authorization: Basic [redacted]\n", "Sync-App-Token: [redacted]\n", "grant_type=client_credentials\n",
		"without TLS", "HTTP status 200", `"token_type": "BearerToken"`, `"expires_in": "5099"`,
		"lives 1h24m59s", `"files" would hold authorization (`, "✓ it works",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	requests := server.Requests()
	if len(requests) != 1 || len(server.Violations()) != 0 {
		t.Errorf("got %d requests, and %v", len(requests), server.Violations())
	}
}

// TestWhatIsShownIsWhatIsSent compares the parameters that are shown with those that the
// provider has got, for every way to authenticate by a secret.
func TestWhatIsShownIsWhatIsSent(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"client_secret_basic", "client_secret_post"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var got url.Values
			server := standin.NewOAuth(standin.Options{Clients: map[string]string{"acme": clientSecret}})
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got, _ = url.ParseQuery(string(body))
				r.Body = io.NopCloser(bytes.NewReader(body))
				server.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			out, _, err := run(t, strings.NewReplacer("BASE", front.URL, "METHOD", method).Replace(plain), append(loopback, "-f", "-")...)
			if err != nil {
				t.Fatalf("got %v\n%s", err, out)
			}
			shown := url.Values{}
			for line := range strings.Lines(out) {
				if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.ContainsAny(name, " :\"") {
					shown.Add(name, value)
				}
			}
			if got.Has("client_secret") {
				got.Set("client_secret", "[redacted]")
			}
			if !reflect.DeepEqual(shown, got) {
				t.Errorf("shown %v, sent %v", shown, got)
			}
			if strings.Contains(out, clientSecret) {
				t.Errorf("the secret is shown:\n%s", out)
			}
		})
	}
}

const plain = `apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: files}
spec:
  provider:
    tokenURL: BASE/oauth/token
    clientAuthentication: {method: METHOD}
    request: {parameters: [{name: tenant, value: acme}]}
  client: {id: acme, secretRef: {name: client, key: client_secret}}
  scopes: [read, write]
  audiences: [https://api.example.com]
---
apiVersion: v1
kind: Secret
metadata: {name: client}
stringData: {client_secret: "` + clientSecret + `"}
`

func TestManifestsThatDoNotWork(t *testing.T) {
	t.Parallel()
	server := standin.NewSyncplicity(standin.Options{Clients: map[string]string{"key-17": clientSecret}})
	good := syncplicityFor(t, server)
	credential := strings.Split(good, "---\n")[1]
	for name, test := range map[string]struct {
		manifest  string
		arguments []string
		code      int
		says      string
	}{
		"the provider refuses":   {strings.ReplaceAll(good, "key-17", "nobody"), loopback, cli.ExitNotReady, `✗ ProviderRejected: `},
		"the provider is absent": {credential, loopback, cli.ExitNotReady, `ProviderNotFound: the ClusterOAuthProvider "syncplicity" is not in the file: add it there, or give --with-cluster`},
		"a Secret is absent": {
			strings.Join(strings.Split(good, "---\n")[:2], "---\n"), loopback, cli.ExitNotReady,
			`SourceSecretMissing: Secret "syncplicity", named by spec.client.idRef, does not exist`,
		},
		"loopback without a word":  {good, loopback[1:], cli.ExitNotReady, "give this command --egress-allow-cidr"},
		"http without a word":      {good, loopback[:1], cli.ExitNotReady, "EgressDenied: tokenURL begins with http://"},
		"a field that is none":     {strings.Replace(good, "basicEncoding", "basicEncodnig", 1), loopback, cli.ExitFailed, `unknown field "spec.clientAuthentication.basicEncodnig"`},
		"no YAML":                  {"a: b: c", loopback, cli.ExitFailed, "neither valid YAML nor JSON"},
		"a Secret of plain text":   {"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: s3cret!}", loopback, cli.ExitFailed, "in base64, or put them under stringData"},
		"nothing":                  {"---\n---\n", loopback, cli.ExitFailed, "holds no OAuthCredential"},
		"another kind":             {"apiVersion: v1\nkind: Pod", loopback, cli.ExitFailed, "holds no OAuthCredential"},
		"a name that is not there": {good, append([]string{"others"}, loopback...), cli.ExitFailed, `holds no OAuthCredential "others"`},
		"a refresh token is not there": {
			strings.Replace(good, "  client:\n", "  grantType: refresh_token\n  refreshToken: {bootstrapRef: {name: a, key: b}}\n  client:\n", 1),
			loopback, cli.ExitNotReady, `✗ SourceSecretMissing: Secret "a", named by spec.refreshToken.bootstrapRef, does not exist`,
		},
		"a network that is none": {good, []string{"--egress-allow-cidr=here"}, cli.ExitUsage, "must be a network"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _, err := run(t, test.manifest, append(slices.Clone(test.arguments), "-f", "-")...)
			said := out
			if err != nil {
				said += err.Error()
			}
			if cli.ExitCode(err) != test.code || !strings.Contains(said, test.says) {
				t.Errorf("got the code %d, want %d with %q:\n%s", cli.ExitCode(err), test.code, test.says, said)
			}
			for _, secret := range []string{clientSecret, appToken, "s3cret!"} {
				if strings.Contains(said, secret) {
					t.Errorf("%q is shown:\n%s", secret, said)
				}
			}
		})
	}
}

// TestAHostileAnswer shows nothing that was sent, and nothing that moves a terminal.
func TestAHostileAnswer(t *testing.T) {
	t.Parallel()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("X-Echo", r.Form.Get("client_secret"))
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"\u001b[2J`+r.Form.Get("client_secret")+
			`","hint":"`+base64.StdEncoding.EncodeToString([]byte(r.Form.Get("client_secret")))+`"}`)
	}))
	t.Cleanup(front.Close)
	// One of them could pass for a word.
	for _, secret := range []string{clientSecret, "opensesame"} {
		manifest := strings.NewReplacer("BASE", front.URL, "METHOD", "client_secret_post", clientSecret, secret).Replace(plain)
		out, _, err := run(t, manifest, append(loopback, "-f", "-")...)
		if cli.ExitCode(err) != cli.ExitNotReady {
			t.Errorf("got %v", err)
		}
		for _, hidden := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), "\x1b"} {
			if strings.Contains(out, hidden) {
				t.Errorf("%q is shown:\n%s", hidden, out)
			}
		}
		if !strings.Contains(out, `"error": "invalid_client"`) {
			t.Errorf("the answer is not shown:\n%s", out)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	if _, _, err := run(t, ""); cli.ExitCode(err) != cli.ExitUsage {
		t.Errorf("got %v", err)
	}
	if _, _, err := run(t, "", "a", "b", "-f", "-"); cli.ExitCode(err) != cli.ExitUsage {
		t.Errorf("got %v", err)
	}
}
