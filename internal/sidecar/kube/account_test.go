package kube

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
)

// token is a token with these claims, as a cluster signs it.
func token(claims string) string {
	return "header." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature"
}

func TestParseAccount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token string
		want  account
	}{
		"of a ServiceAccount":   {token: token(`{"sub":"system:serviceaccount:apps:api","aud":["x"]}`), want: account{namespace: "apps", name: "api"}},
		"with a line's end":     {token: token(`{"sub":"system:serviceaccount:apps:api"}`) + "\n", want: account{namespace: "apps", name: "api"}},
		"of a person":           {token: token(`{"sub":"jane"}`)},
		"of nobody":             {token: token(`{}`)},
		"without a name":        {token: token(`{"sub":"system:serviceaccount:apps"}`)},
		"with another type":     {token: token(`{"sub":1}`)},
		"that is no JSON":       {token: token(`sub`)},
		"that is no JWT":        {token: "sha256~abc"},
		"that is empty":         {},
		"that is badly encoded": {token: "a.*.c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parseAccount(test.token); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func FuzzParseAccount(f *testing.F) {
	f.Add(token(`{"sub":"system:serviceaccount:apps:api"}`))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if found := parseAccount(text); found.name == "" && found.namespace == "" && found != (account{}) {
			t.Errorf("%q: %+v", text, found)
		}
		if found := parseAccount(token(`{"sub":"system:serviceaccount:` + text + `"}`)); len(found.namespace)+len(found.name) > 4*len(text) {
			t.Errorf("%q: %+v", text, found)
		}
	})
}

func TestReadAccount(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token(`{"sub":"system:serviceaccount:apps:file"}`)), 0o600); err != nil {
		t.Fatal(err)
	}
	given := token(`{"sub":"system:serviceaccount:apps:given"}`)
	for _, test := range []struct {
		config rest.Config
		want   string
	}{
		{config: rest.Config{BearerToken: given}, want: "given"},
		{config: rest.Config{BearerToken: given, BearerTokenFile: file}, want: "file"},
		{config: rest.Config{BearerToken: given, BearerTokenFile: file + "-not"}, want: "given"},
		{config: rest.Config{}},
	} {
		if got := readAccount(&test.config); got.name != test.want {
			t.Errorf("got %+v, want %q", got, test.want)
		}
	}
}

func TestPodNamespace(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	if got := podNamespace(directory); got != "" {
		t.Errorf("without a file: %q", got)
	}
	if err := os.WriteFile(filepath.Join(directory, "namespace"), []byte("apps\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := podNamespace(directory); got != "apps" {
		t.Errorf("got %q", got)
	}
}
