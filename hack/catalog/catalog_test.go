package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func TestPageIsFresh(t *testing.T) {
	entries, err := read(filepath.Join(root, manifests))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	want, err := replace(string(content), render(entries))
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != want {
		t.Errorf("%s is stale: run `go run ./hack/catalog`", page)
	}
}

func TestReplace(t *testing.T) {
	once, err := replace("before\n"+begin+"old\n"+end+"after\n", "new\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + begin + "\nnew\n\n" + end + "after\n"; once != want {
		t.Errorf("got %q, want %q", once, want)
	}
	if twice, err := replace(once, "new\n"); err != nil || twice != once {
		t.Errorf("a second time: %q, %v", twice, err)
	}
	for _, content := range []string{"", begin, end, end + begin} {
		if _, err := replace(content, "new"); err == nil {
			t.Errorf("replaced in %q", content)
		}
	}
}

const acme = `# Acme.
#
# The credential brings
# its id.
apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata:
  name: acme
  annotations:
    tokensync.dev/catalog-evidence: memory
    tokensync.dev/catalog-grants: client_credentials, refresh_token,
      urn:ietf:params:oauth:grant-type:jwt-bearer
    tokensync.dev/catalog-lifetime: 1h
    tokensync.dev/catalog-notes: Beware.
    tokensync.dev/documentation: https://example.com/docs
spec:
  tokenURL: https://{host}/{realm}/{host}/token
  tokenReissue: Same
`

const example = `apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
spec:
  providerRef:
    kind: ClusterOAuthProvider
    name: acme
    variables: {host: login.example.com, realm: acme}
`

func TestParse(t *testing.T) {
	e, err := parse(acme, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Acme.", "The credential brings its id."}; !slices.Equal(e.about, want) {
		t.Errorf("about is %q, want %q", e.about, want)
	}
	row := row(&e)
	if want := "| [acme](#acme) | `client_credentials`, `refresh_token`, `jwt-bearer` | by the client's key | `host`, `realm` | 1h | `Same` | memory |\n"; row != want {
		t.Errorf("the row is\n%s, want\n%s", row, want)
	}
	e.example = "kind: OAuthCredential\n"
	want := `
### acme

Acme.

The credential brings its id.

Beware.

Manifest: [acme.yaml](../config/catalog/acme.yaml). Documentation: <https://example.com/docs>.

` + "```yaml\nkind: OAuthCredential\n```\n"
	if got := section(&e); got != want {
		t.Errorf("the section is\n%s, want\n%s", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ old, instead, says string }{
		"an unknown field":       {"tokenReissue: Same", "tokenReuse: Same", "unknown field"},
		"another kind":           {"kind: ClusterOAuthProvider", "kind: OAuthProvider", "is no ClusterOAuthProvider"},
		"another name":           {"name: acme", "name: ecma", "names its object"},
		"a second document":      {"spec:", "---\nspec:", "more than one object"},
		"no comment":             {"#\n# The credential brings\n# its id.\n", "", "has no comment"},
		"made-up evidence":       {"evidence: memory", "evidence: sure", "catalog-evidence"},
		"no grants":              {"catalog-grants", "grants", "lacks the annotation"},
		"no lifetime":            {"catalog-lifetime", "lifetime", "lacks the annotation"},
		"a client":               {"spec:", "spec:\n  client: {id: acme}", "is for everybody"},
		"namespaces":             {"spec:", "spec:\n  allowedNamespaces: {}", "is for everybody"},
		"a secret in a header":   {"spec:", "spec:\n  request: {headers: [{name: A, valueFrom: {secretKeyRef: {name: a, key: b}}}]}", "is for everybody"},
		"a secret in parameters": {"spec:", "spec:\n  request: {parameters: [{name: a, valueFrom: {secretKeyRef: {name: a, key: b}}}]}", "is for everybody"},
	} {
		t.Run(name, func(t *testing.T) {
			content := strings.ReplaceAll(acme, test.old, test.instead)
			if content == acme {
				t.Fatal("changes nothing")
			}
			if _, err := parse(content, "acme"); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error is %v, and should say %q", err, test.says)
			}
		})
	}
}

// Every provider has an example, and every example a provider.
func TestExamples(t *testing.T) {
	directory := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	complain := func(says string) {
		t.Helper()
		if _, err := read(directory); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, and should say %q", err, says)
		}
	}
	write("acme.yaml", acme)
	complain("examples/acme.yaml is missing")
	write("examples/acme.yaml", "kind: OAuthCredential\n")
	complain("is no OAuthCredential that refers to it")
	write("examples/acme.yaml", strings.Replace(example, "realm", "kingdom", 1))
	complain("lacks the variable realm")
	write("examples/acme.yaml", example)
	if entries, err := read(directory); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	write("examples/ecma.yaml", example)
	complain("examples/ecma.yaml belongs to no provider")
}
