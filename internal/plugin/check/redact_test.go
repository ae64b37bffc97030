package check

import (
	"strings"
	"testing"
)

func TestMaskText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		shown      bool
	}{
		{"access_token", "abc", false},
		{"accessToken", "x", false},
		{"id_token", "a.b.c", false},
		{"secret", "short", false},
		{"token_type", "BearerToken", true},
		{"tokenType", "bearer", true},
		{"refresh_token_expires_in", "86399", true},
		{"refresh_token_expires_in", "0", true},
		{"error", "invalid_grant", true},
		{"ErrorCode", "invalid_client", true},
		{"error_description", "The client is not allowed to ask for urn:ietf:params:oauth:grant-type:jwt-bearer here.", true},
		{"error_uri", "https://docs.example.com/errors/invalid_grant", true},
		{"error_uri", "https://docs.example.com/?t=eyJhbGciOiJSUzI1NiJ9", false},
		{"expires", "2026-11-22T12:00:00.123456Z", true},
		{"scope", "read write https://example.com/auth/files", true},
		{"organization", "3d5bb0ae-5f0e-4b35-9f6e-2c3b1d8a7f10", false},
		{"anything", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", false},
		{"anything", "AKIAIOSFODNN7EXAMPLEKEY", false},
		{"anything", "sntaoheusnthaoeusnthaoeu", false},
		{"message", "token dGhlIGFwcCB0b2tlbiBpcyBoZXJl refused", false},
	} {
		got := maskText(test.name, test.text)
		if shown := got == test.text; shown != test.shown {
			t.Errorf("%s=%s became %s", test.name, test.text, got)
		}
	}
	if got := maskText("error", "a\x1b[2Jb"); strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
}
