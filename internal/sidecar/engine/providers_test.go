package engine

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// sample is a sample of this project, with another token endpoint.
func sample(t *testing.T, name, tokenURL, at string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), tokenURL) {
		t.Fatalf("%s does not name %s", name, tokenURL)
	}
	return strings.ReplaceAll(string(text), tokenURL, at)
}

// TestSyncronex: the secret in the body, the tenant as the scope, and what the answer says
// of its life twice.
func TestSyncronex(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.provider.set(func(w http.ResponseWriter, r *http.Request) {
		if r.PostForm.Get("scope") == "" || r.PostForm.Get("client_secret") != "put-your-client-secret-here" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			return
		}
		now := s.clock.Now()
		_, _ = w.Write([]byte(`{"access_token":"ticket","token_type":"bearer","expires_in":1199,".issued":"` + now.Format(http.TimeFormat) +
			`",".expires":"` + now.Add(20*time.Minute).Format(http.TimeFormat) + `"}`))
	})
	s.writeManifest(sample(t, "syncronex.yaml", "https://identity.syncronex.com/oauth/token", s.provider.URL+"/oauth/token"))
	s.open()
	s.expect(1, "ticket")
	if form := s.provider.heard()[0].form; form.Get("client_id") != "app_acme_news_prod" || form.Get("scope") != "acme_news_prod" {
		t.Errorf("sent %v", form)
	}
	s.until(start.Add(hour))
	s.expect(5, "ticket")
}

// TestSyncplicity: Basic as it stands, a third secret in a header, and numbers as texts.
func TestSyncplicity(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.provider.answers(http.StatusOK, `{"access_token":"files","token_type":"BearerToken","expires_in":"5099"}`)
	s.writeManifest(sample(t, "syncplicity.yaml", "https://api.syncplicity.com/oauth/token", s.provider.URL+"/oauth/token"))
	s.open()
	s.expect(1, "files")
	header := s.provider.heard()[0].header
	if header.Get("Authorization") != basic("put-your-app-key-here", "put-your-app-secret-here") ||
		header.Get("Sync-App-Token") != "put-your-application-token-here" {
		t.Errorf("sent %v", header)
	}
	set := s.current.Set()
	if set.Type != "Bearer" || !set.Life.ExpiresAt.Equal(start.Add(5099*time.Second)) {
		t.Errorf("got the type %q and the life %v", set.Type, set.Life)
	}
}

// TestSharedProvider: a provider beside the credential, with a client of its own, whose
// Secret is in another namespace.
func TestSharedProvider(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	text := sample(t, "shared-provider.yaml", "https://login.example.com/oauth2/token", s.provider.URL+"/oauth/token")
	s.writeManifest(text)
	s.open()
	s.expect(1, "token-1")
	heard := s.provider.heard()[0]
	if heard.header.Get("Authorization") != basic("platform", "put-your-client-secret-here") || heard.form.Get("scope") != "orders:read" {
		t.Errorf("sent %v with %v", heard.form, heard.header)
	}
	s.writeManifest(strings.ReplaceAll(text, "put-your-client-secret-here", "rotated"))
	s.after(time.Second)
	s.expect(2, "token-2")
	// What the provider does not allow is not asked for.
	s.writeManifest(strings.Replace(text, "  - orders:read\n  audiences:\n  - https://orders.example.com\n", "  - orders:delete\n", 1))
	s.after(10 * time.Minute)
	s.expect(2, "token-2")
	if !strings.Contains(s.log.String(), `which the ClusterOAuthProvider \"orders\" does not allow`) {
		t.Error("that it is not allowed was not told")
	}
}

// TestTemplates: what is rendered is what the spec says.
func TestTemplates(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.options.Keys.Token = "token"
	s.writeManifest(manifestOf(s.provider.URL, `  secret:
    data:
      authorization: '"Bearer " + token.access_token'
      token: token.access_token
      app: client.id + "@" + credential.namespace + "/" + credential.name
`))
	s.open()
	s.expect(1, "token-1")
	data := s.current.Set().Data
	if len(data) != 3 || string(data["authorization"]) != "Bearer token-1" || string(data["app"]) != "app@web/acme-news" {
		t.Error("the keys are not what the spec says")
	}
	if !s.current.Set().Life.ExpiresAt.Equal(start.Add(hour)) {
		t.Errorf("it lives %v", s.current.Set().Life)
	}
	s.writeManifest(manifestOf(s.provider.URL, "  secret: {data: {token: '\"other\"'}}\n"))
	s.after(time.Second)
	s.expect(2, "other")
}
