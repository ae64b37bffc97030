package inspect

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const signature = "c2lnbmF0dXJlLXRoYXQtaXMtc2VjcmV0"

// signed makes a JWT of a header and claims, as JSON.
func signed(header, claims string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + signature
}

func secret(data map[string]string) *corev1.Secret {
	s := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: map[string][]byte{}, ObjectMeta: metav1.ObjectMeta{
		Name: "files-token", Annotations: map[string]string{
			v1alpha1.AnnotationIssuedAt: "2026-11-22T11:40:00Z", v1alpha1.AnnotationExpiresAt: "2026-11-22T12:40:00Z",
			v1alpha1.AnnotationInputsHash: "i", v1alpha1.AnnotationDataHash: "d",
		},
	}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}

func credential(data map[string]v1alpha1.Expression) *v1alpha1.OAuthCredential {
	return &v1alpha1.OAuthCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "files"},
		Spec:       v1alpha1.OAuthCredentialSpec{Secret: v1alpha1.TargetSecret{Data: data}},
	}
}

func text(t *testing.T, r Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.write(&b, now); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const report = `Credential  web/files
Secret      files-token (Opaque)
Issued      2026-11-22T11:40:00Z (20m ago)
Expires     2026-11-22T12:40:00Z (in 40m)
Type        Bearer
Scope       read write

access_token  TOKENSIZE bytes, a JWT signed with RS256, key k1
  iss         https://login.example.com
  sub         robot
  aud         ["api","other"]
  iat         2026-11-22T11:40:00Z (20m ago)
  exp         2026-11-22T12:40:00Z (in 40m)
  roles       ["admin"]

expires_at  20 bytes

scope  10 bytes

token_type  6 bytes
`

func TestReport(t *testing.T) {
	t.Parallel()
	token := signed(`{"alg":"RS256","kid":"k1"}`, `{"iss":"https://login.example.com","sub":"robot","aud":["api","other"],`+
		`"iat":1795347600,"exp":1795351200,"roles":["admin"]}`)
	s := secret(map[string]string{"access_token": token, "token_type": "Bearer", "scope": "read write", "expires_at": "2026-11-22T12:40:00Z"})
	got := text(t, describe(credential(nil), s, false))
	want := strings.Replace(report, "TOKENSIZE", strconv.Itoa(len(token)), 1)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(got, signature) || strings.Contains(got, token[:30]) {
		t.Error("the token is shown")
	}
}

// TestNothingSecretIsShown holds whatever a claim or a key repeats.
func TestNothingSecretIsShown(t *testing.T) {
	t.Parallel()
	const other = "another-secret-value"
	s := secret(map[string]string{
		"authorization": "Bearer " + signed(`{"alg":"ES256"}`, `{"iss":"x\u001b[2J","echo":"`+other+`"}`),
		"app_key":       other, "token_type": "is-a-secret-here",
	})
	r := describe(credential(map[string]v1alpha1.Expression{"authorization": "x", "app_key": "y", "token_type": "z"}), s, false)
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{text(t, r), string(encoded)} {
		for _, secret := range []string{signature, other, "is-a-secret-here", "\x1b"} {
			if strings.Contains(shown, secret) {
				t.Errorf("%q is shown:\n%s", secret, shown)
			}
		}
		if !strings.Contains(shown, "ES256") {
			t.Errorf("no word of the JWT:\n%s", shown)
		}
	}
}

func TestValuesAreShownOnDemandOnly(t *testing.T) {
	t.Parallel()
	s := secret(map[string]string{"access_token": "opaque-token", "binary": "\x1b[2J"})
	if got := text(t, describe(credential(nil), s, false)); strings.Contains(got, "opaque-token") {
		t.Errorf("got\n%s", got)
	}
	got := text(t, describe(credential(nil), s, true))
	if !strings.Contains(got, "opaque-token") || strings.Contains(got, "\x1b") {
		t.Errorf("got\n%q", got)
	}
}

func TestASecretThatDescribesNoToken(t *testing.T) {
	t.Parallel()
	s := secret(nil)
	s.Annotations = nil
	if got := text(t, describe(credential(nil), s, false)); !strings.Contains(got, "none that tokensync has written") {
		t.Errorf("got\n%s", got)
	}
}

func TestParseJWT(t *testing.T) {
	t.Parallel()
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RSA-OAEP"}`))
	for name, test := range map[string]struct {
		value string
		ok    bool
	}{
		"a JWT":            {signed(`{"alg":"RS256"}`, `{}`), true},
		"with a scheme":    {"Bearer " + signed(`{"alg":"RS256"}`, `{}`), true},
		"encrypted":        {header + ".a.b.c.d", true},
		"nothing":          {"", false},
		"opaque":           {"abc", false},
		"dots":             {"..", false},
		"no algorithm":     {signed(`{}`, `{}`), false},
		"no claims":        {signed(`{"alg":"RS256"}`, `null`), false},
		"more than claims": {signed(`{"alg":"RS256"}`, `{}{}`), false},
		"a version":        {"1.2.3", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, ok := parseJWT(test.value); ok != test.ok {
				t.Errorf("got %t, want %t", ok, test.ok)
			}
		})
	}
}

func FuzzParseJWT(f *testing.F) {
	f.Add(signed(`{"alg":"RS256"}`, `{"exp":1e400,"aud":[1,{"a":null}]}`))
	f.Add("Bearer a.b.c")
	f.Fuzz(func(t *testing.T, value string) {
		r := describe(credential(nil), secret(map[string]string{"access_token": value}), false)
		if shown := text(t, r); strings.ContainsAny(shown, "\x1b\r\x00") {
			t.Errorf("got %q", shown)
		}
	})
}
