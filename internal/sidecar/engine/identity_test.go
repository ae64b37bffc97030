package engine

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

const podSubject = "system:serviceaccount:web:robot"

// jwtOf is a token with claims, and a signature that nobody looks at.
func jwtOf(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2lnbmF0dXJl"
}

func TestServiceAccountToken(t *testing.T) {
	t.Parallel()
	ref := v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api"}
	for name, test := range map[string]struct {
		token string
		says  string
	}{
		"a list":          {jwtOf(t, map[string]any{"iss": "c", "sub": podSubject, "aud": []string{"api"}}), ""},
		"a text":          {jwtOf(t, map[string]any{"iss": "c", "sub": podSubject, "aud": "api"}) + "\n", ""},
		"of a stranger":   {jwtOf(t, map[string]any{"iss": "c", "sub": "spiffe://a/b", "aud": "api"}), ""},
		"another's":       {jwtOf(t, map[string]any{"iss": "c", "sub": "system:serviceaccount:web:default", "aud": "api"}), "set serviceAccountName: robot"},
		"another":         {jwtOf(t, map[string]any{"iss": "c", "sub": podSubject, "aud": "vault"}), `is for the audience "vault", and the spec asks for "api": set audience: api`},
		"one more":        {jwtOf(t, map[string]any{"iss": "c", "sub": podSubject, "aud": []string{"api", "c"}}), `"api, c"`},
		"none":            {jwtOf(t, map[string]any{"iss": "c", "sub": podSubject}), "set audience: api"},
		"a number":        {jwtOf(t, map[string]any{"aud": 7}), "holds no token of a ServiceAccount"},
		"the cluster's":   {jwtOf(t, map[string]any{"iss": "api", "sub": podSubject, "aud": "api"}), "the cluster's own"},
		"no JWT":          {"opaque", "holds no token of a ServiceAccount"},
		"no base64":       {"e30.?.e30", "holds no token of a ServiceAccount"},
		"nothing":         {"", "holds no token of a ServiceAccount"},
		"more than there": {strings.Repeat("x", maxToken+1), "it has more than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "token")
			put(t, file, test.token)
			got, err := (&objects{tokenFile: file}).ServiceAccountToken(t.Context(), "web", ref)
			if test.says == "" {
				if err != nil || got.Reveal() != strings.TrimSpace(test.token) {
					t.Errorf("got %v", err)
				}
				return
			}
			var spec *resolve.SpecError
			if !errors.As(err, &spec) || spec.Reason != v1alpha1.ReasonServiceAccountRefused || !got.IsEmpty() {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), file) && name != "the cluster's" {
				t.Errorf("it says %q", err)
			}
			if test.token != "" && strings.Contains(err.Error(), test.token) {
				t.Error("it quotes the token")
			}
		})
	}
	for _, file := range []string{"", filepath.Join(t.TempDir(), "none")} {
		_, err := (&objects{tokenFile: file}).ServiceAccountToken(t.Context(), "web", ref)
		if err == nil || !strings.Contains(err.Error(), `"api"`) || file == "" && !strings.Contains(err.Error(), "--service-account-token") {
			t.Errorf("%q: got %v", file, err)
		}
	}
}
