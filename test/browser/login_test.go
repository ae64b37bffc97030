package browser

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/test/eventually"
)

const (
	// certified is a credential at the authorization server.
	certified = `apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: NAME}
spec:
  provider: {issuer: "${ISSUER}", authorizationParameters: {prompt: consent}}
  grantType: GRANT
  client: {id: app, secretRef: {name: app, key: client_secret}}
  scopes: [openid, offline_access, read]
`
	// gateway is one at Syncplicity.
	gateway = `apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: NAME}
spec:
  provider:
    tokenURL: ${SYNCPLICITY}/oauth/token
    authorizationURL: ${SYNCPLICITY}/oauth/authorize
    clientAuthentication: {method: client_secret_basic, basicEncoding: Raw}
    response:
      error: 'has(body.ErrorCode) ? body.ErrorCode : body.error'
      errorDescription: 'has(body.Error) ? body.Error : body.error_description'
  grantType: authorization_code
  client: {id: app, secretRef: {name: app, key: client_secret}}
`
	// shared is one whose client the provider holds.
	shared = `apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {name: browser}
spec:
  issuer: "${ISSUER}"
  authorizationParameters: {prompt: consent}
  client: {id: app, secretRef: {name: app, key: client_secret}}
  allowedNamespaces: {}
  allowed: {grantTypes: [authorization_code], scopes: [openid, offline_access, read]}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: NAME}
spec:
  providerRef: {kind: ClusterOAuthProvider, name: browser}
  grantType: authorization_code
  scopes: [openid, offline_access, read]
`
)

// named is a manifest with a name, and a grant type.
func named(manifest, name, grantType string) string {
	return strings.NewReplacer("NAME", name, "GRANT", grantType).Replace(manifest)
}

// declare creates a credential, which waits for a person then.
func (s *stage) declare(t *testing.T, manifest, name string) {
	t.Helper()
	s.apply(t, named(manifest, name, "authorization_code"))
	s.waits(t, name)
}

// begin declares a credential, runs the plugin's login, and opens the page that it names.
func (s *stage) begin(t *testing.T, manifest, name string, arguments ...string) (*command, *tab) {
	t.Helper()
	s.declare(t, manifest, name)
	login := s.login(t, name, arguments...)
	page := s.newTab(t)
	page.open(login.page())
	return login, page
}

// lives makes sure that the authorization server knows a credential's token, and that it
// is replaced without anybody.
func (s *stage) lives(t *testing.T, name string) {
	t.Helper()
	first := s.token(t, name)
	credential := s.credential(t, name)
	changed := credential.DeepCopy()
	metav1.SetMetaDataAnnotation(&changed.ObjectMeta, v1alpha1.AnnotationRefreshRequestedAt, "now")
	if err := s.cluster.Client.Patch(t.Context(), changed, client.MergeFrom(credential)); err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, "the token is replaced", func() bool { return s.token(t, name) != first })
	told, err := s.server.Introspect(t.Context(), s.token(t, name))
	if err != nil || !told.Active || told.Person != "jane" || told.Scope != "read" {
		t.Errorf("the server knows the token as %+v (%v)", told, err)
	}
}

// TestAPersonLogsIn walks through everything that a person may do in a browser.
func TestAPersonLogsIn(t *testing.T) {
	s := newStage(t)
	s.keep(t, s.namespace)
	s.keep(t, s.operatorNamespace)
	for _, walk := range []struct {
		name string
		walk func(*testing.T, *stage)
	}{
		{"by the pages of a certified server", consents},
		{"without the client's secret", delegates},
		{"at Syncplicity", consentsAtSyncplicity},
		{"too late", comesTooLate},
		{"and declines", declines},
		{"and closes the browser", closes},
		{"and is sent back by somebody else", isMisled},
		{"by the code that the status shows", entersTheCode},
		{"by a code that the plugin shows", entersThePluginsCode},
		{"and declines the code", declinesTheCode},
	} {
		t.Run(walk.name, func(t *testing.T) { walk.walk(t, s) })
	}
}

func consents(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, certified, "files")
	page.signIn()
	page.consent()
	page.sees("You are logged in")
	login.ends(cli.ExitOK, `the Secret "files" holds a good token`)
	s.lives(t, "files")
}

func delegates(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, shared, "shared")
	page.signIn()
	page.consent()
	page.sees("The operator now fetches the tokens")
	login.ends(cli.ExitOK, "by the operator", `the Secret "shared" holds a good token`)
	s.lives(t, "shared")
}

func consentsAtSyncplicity(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, gateway, "syncplicity")
	page.press("#allow")
	page.sees("You are logged in")
	login.ends(cli.ExitOK, "the provider gave no refresh token", `the Secret "syncplicity" holds a good token`)
	if _, _, ok := s.syncplicity.Check(s.token(t, "syncplicity")); !ok {
		t.Error("the provider does not know the token")
	}
	if broken := s.syncplicity.Violations(); len(broken) > 0 {
		t.Errorf("no well-behaved client does that: %+v", broken)
	}
}

// comesTooLate has a code that has always expired.
func comesTooLate(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, strings.ReplaceAll(gateway, "SYNCPLICITY", "HASTY"), "late")
	page.press("#allow")
	page.sees("The login has not worked")
	page.sees("Invalid Authorization Code")
	login.ends(cli.ExitNotReady, "Invalid Authorization Code")
	s.waits(t, "late")
}

func declines(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, certified, "declined")
	page.signIn()
	page.press(`a[href$="/abort"]`)
	page.sees("The login has not worked")
	login.ends(cli.ExitNotReady, "declined", "access_denied")
	s.waits(t, "declined")
}

// closes closes the page on which to log in.
func closes(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, certified, "closed", "--login-timeout=5s")
	page.do("see the page", chromedp.WaitVisible(chromedp.CSS(`input[name=login]`)))
	page.close()
	login.ends(cli.ExitTimeout, "nobody has logged in within 5s", "--login-timeout")
	s.waits(t, "closed")
}

// isMisled is sent back with an answer that is none to what was asked, and goes on to the
// page where the right one comes from.
func isMisled(t *testing.T, s *stage) {
	t.Helper()
	s.declare(t, certified, "misled")
	login := s.login(t, "misled")
	asked, err := url.Parse(login.page())
	if err != nil {
		t.Fatal(err)
	}
	page := s.newTab(t)
	page.open(asked.Query().Get("redirect_uri") + "?code=stolen&state=guessed")
	page.sees("The login has not worked")
	s.waits(t, "misled")
	page.open(asked.String())
	page.signIn()
	page.consent()
	page.sees("You are logged in")
	login.ends(cli.ExitOK, "has the state of another login", `the Secret "misled" holds a good token`)
}
