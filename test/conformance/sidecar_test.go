package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"
)

const (
	// shortLife is that of the tokens that a sidecar gets, in seconds, and lifetimes is for
	// how many of them its files are read.
	shortLife = 5
	lifetimes = 3
)

// alone is a sidecar that asks the server by itself: there is no Kubernetes anywhere.
type alone struct {
	*operator.Process

	// directory has its manifest, what that refers to, and in output its files.
	directory string
	log       *output.Log
}

// startAlone starts one by the spec of a credential and the data of its client's Secret.
func startAlone(t *testing.T, server *oidcprovider.Provider, name string, r row) *alone {
	t.Helper()
	binary, err := operator.BuildSidecar(t.Context(), "tokensync-sidecar-race", "-race")
	if err != nil {
		t.Fatal(err)
	}
	a := &alone{directory: t.TempDir(), log: &output.Log{}}
	a.write(t, "config-maps/company-ca/ca.crt", string(server.CABundle))
	for key, value := range r.secret {
		a.write(t, filepath.Join("secrets", "client-"+name, key), value)
	}
	spec := strings.ReplaceAll(strings.TrimSpace(fill(r.spec, server)), "\n", "\n  ")
	a.write(t, "credential.yaml", fmt.Sprintf("apiVersion: tokensync.dev/v1alpha1\nkind: OAuthCredential\n"+
		"metadata: {name: %s}\nspec:\n  %s\n", name, spec))
	a.write(t, "output/keep", "") // Another file in the directory is none of its business.
	a.Process, err = operator.StartSidecar(t.Context(), operator.Options{
		Binary: binary, Log: a.log,
		Environment: []string{"GORACE=halt_on_error=1 atexit_sleep_ms=0", "KUBECONFIG=/nowhere", "HOME=/nowhere", "KUBERNETES_SERVICE_HOST=", "KUBERNETES_SERVICE_PORT="},
		Arguments: []string{
			"--credential-file=" + filepath.Join(a.directory, "credential.yaml"), "--egress-allow-cidr=127.0.0.0/8",
			"--secrets-dir=" + filepath.Join(a.directory, "secrets"), "--config-maps-dir=" + filepath.Join(a.directory, "config-maps"),
			"--output-dir=" + filepath.Join(a.directory, "output"),
		},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, a.log)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil || t.Failed() {
			t.Logf("the sidecar ended (%v) and said:\n%s", err, a.log)
		}
	})
	return a
}

func (a *alone) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(a.directory, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// token reads the file anew, as an app does; empty where there is none.
func (a *alone) token() string {
	content, err := os.ReadFile(filepath.Join(a.directory, "output", "access_token"))
	if err != nil {
		return ""
	}
	return string(content)
}

// TestTheSidecarAsksByItself has an app read its file through some lifetimes, and the server
// say each time what it thinks of the token.
func TestTheSidecarAsksByItself(t *testing.T) {
	known := secretRows()
	maps.Copy(known, keyRows(t))
	chosen := map[string]row{}
	for _, name := range []string{"basic", "key-es256"} {
		r := known[name]
		r.spec = strings.ReplaceAll(r.spec, "NAME", name)
		if r.registered.ID == "" {
			r.registered.ID = name
		}
		chosen[name] = r
	}
	server := startRows(t, chosen, oidcprovider.Options{
		Resources: []oidcprovider.Resource{{Identifier: opaqueResource, Scopes: []string{"read"}, Seconds: shortLife}},
	}).server
	var all sync.WaitGroup
	for name, r := range chosen {
		r.spec += "\nscopes: [read]\n"
		a := startAlone(t, server, name, r)
		all.Go(func() {
			tokens, err := a.use(t.Context(), server, r.registered.ID)
			if err != nil || tokens <= lifetimes {
				t.Errorf("%s: %d tokens in %d lifetimes, %v", name, tokens, lifetimes, err)
			}
		})
	}
	all.Wait()
}

// use reads the file through all lifetimes, and answers how many tokens there were. The
// error says what was wrong with one.
func (a *alone) use(ctx context.Context, server *oidcprovider.Provider, clientID string) (int, error) {
	for deadline := time.Now().Add(20 * time.Second); a.token() == ""; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return 0, errors.New("no token came")
		}
	}
	tokens := map[string]bool{}
	for end := time.Now().Add(lifetimes * shortLife * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		token := a.token()
		tokens[token] = true
		told, err := server.Introspect(ctx, token)
		if err != nil {
			return len(tokens), err
		}
		if !told.Active || told.ClientID != clientID || told.Scope != "read" {
			return len(tokens), fmt.Errorf("the server knows the last one as %+v", told)
		}
	}
	return len(tokens), nil
}
