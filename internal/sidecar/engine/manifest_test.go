package engine

import (
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// TestNewRefuses what can be told beforehand.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	const url = "https://a.example"
	two := manifestOf(url) + "---\n" + strings.Replace(manifestOf(url), "acme-news, namespace", "other, namespace", 1)
	for name, test := range map[string]struct{ text, credential, says string }{
		"none":             {"", "", "holds no OAuthCredential: a provider alone"},
		"not that one":     {manifestOf(url), "other", `holds no OAuthCredential "other": correct --credential`},
		"several":          {two, "", "name one of them with --credential"},
		"twice":            {manifestOf(url) + "---\n" + manifestOf(url), "acme-news", `holds several OAuthCredentials "acme-news"`},
		"a refresh token":  {manifestOf(url, "  grantType: refresh_token\n"), "", "which only the operator does"},
		"a code":           {manifestOf(url, "  grantType: authorization_code\n"), "", "the grant type authorization_code, of which"},
		"a device":         {manifestOf(url, "  grantType: urn:ietf:params:oauth:grant-type:device_code\n"), "", "give --secret or --mount here"},
		"no such provider": {strings.Replace(manifestOf("x"), "provider: {tokenURL: x/oauth/token}", "providerRef: {name: p}", 1), "", `the OAuthProvider "p" is not in it`},
		"a typo":           {manifestOf(url, "  scope: a\n"), "", `unknown field "spec.scope"`},
		"an expression":    {manifestOf(url, "  secret: {data: {a: token}}\n  request: {headers: [{name: X, expression: 'bare'}]}\n"), "", "bare"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.writeManifest(test.text)
			s.options.Credential = test.credential
			_, err := New(t.Context(), s.options)
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), s.options.File) {
				t.Errorf("got %v", err)
			}
		})
	}
	s := newStage(t)
	s.options.File = filepath.Join(s.dir, "none.yaml")
	if _, err := New(t.Context(), s.options); err == nil || !strings.Contains(err.Error(), "none.yaml cannot be read") {
		t.Errorf("got %v", err)
	}
	s.writeManifest(two)
	s.options.Credential = "other"
	s.make()
	if name := s.engine.Credential().Name; name != "other" {
		t.Errorf("chose %q", name)
	}
}

// TestNamespace is that of the credential, or what was given, or the default.
func TestNamespace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ declared, given, want string }{
		"the credential's": {", namespace: web", "pod", "web"},
		"the pod's":        {"", "pod", "pod"},
		"no pod":           {"", "", "default"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.options.Namespace, s.options.SecretsDir = test.given, ""
			s.writeManifest(strings.Replace(manifestOf(s.provider.URL), ", namespace: web", test.declared, 1) +
				"---\napiVersion: v1\nkind: Secret\nmetadata: {name: " + secretName + "}\nstringData: {client_secret: s}\n")
			s.open()
			s.expect(1, "token-1")
			if namespace := s.engine.Credential().Namespace; namespace != test.want {
				t.Errorf("got %q", namespace)
			}
		})
	}
}

// TestWhatTheSchemaForbids is forbidden here as well, as far as it would do harm.
func TestWhatTheSchemaForbids(t *testing.T) {
	t.Parallel()
	provider, ref := &v1alpha1.Endpoint{}, &v1alpha1.ProviderReference{}
	for name, test := range map[string]struct {
		spec v1alpha1.OAuthCredentialSpec
		err  string
	}{
		"no provider":      {v1alpha1.OAuthCredentialSpec{}, "set one of them"},
		"two":              {v1alpha1.OAuthCredentialSpec{Provider: provider, ProviderRef: ref}, "set one of them"},
		"one":              {v1alpha1.OAuthCredentialSpec{Provider: provider}, ""},
		"a percentage":     {v1alpha1.OAuthCredentialSpec{ProviderRef: ref, Refresh: v1alpha1.Refresh{AfterPercent: new(int32(50))}}, ""},
		"too late":         {v1alpha1.OAuthCredentialSpec{ProviderRef: ref, Refresh: v1alpha1.Refresh{AfterPercent: new(int32(100))}}, "between 10 and 99"},
		"too early":        {v1alpha1.OAuthCredentialSpec{ProviderRef: ref, Refresh: v1alpha1.Refresh{AfterPercent: new(int32(9))}}, "between 10 and 99"},
		"a time that runs": {v1alpha1.OAuthCredentialSpec{ProviderRef: ref, Refresh: v1alpha1.Refresh{Before: &metav1.Duration{Duration: -1}}}, "between 0s and 720h"},
	} {
		if err := checkSpec(&test.spec); (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
