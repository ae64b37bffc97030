package watch

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
)

func TestLife(t *testing.T) {
	t.Parallel()
	issued := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	expires := issued.Add(time.Hour)
	const issuedAt, expiresAt = "2026-11-22T12:00:00Z", "2026-11-22T14:00:00+01:00"
	for name, test := range map[string]struct {
		issuedAt, expiresAt string
		want                lifetime.Token
	}{
		"both":                       {issuedAt: issuedAt, expiresAt: expiresAt, want: lifetime.Token{IssuedAt: issued, ExpiresAt: expires}},
		"none":                       {},
		"no expiry":                  {issuedAt: issuedAt, want: lifetime.Token{IssuedAt: issued}},
		"no issue":                   {expiresAt: expiresAt, want: lifetime.Token{ExpiresAt: expires}},
		"an issue that is no time":   {issuedAt: "yesterday", expiresAt: expiresAt, want: lifetime.Token{ExpiresAt: expires}},
		"an expiry that is no time":  {issuedAt: issuedAt, expiresAt: "3600", want: lifetime.Token{IssuedAt: issued}},
		"an issue after the expiry":  {issuedAt: "2026-11-22T13:00:01Z", expiresAt: expiresAt, want: lifetime.Token{ExpiresAt: expires}},
		"an issue at the expiry":     {issuedAt: expiresAt, expiresAt: expiresAt, want: lifetime.Token{ExpiresAt: expires}},
		"both, and they are no time": {issuedAt: "a", expiresAt: "b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			annotations := map[string]string{v1alpha1.AnnotationIssuedAt: test.issuedAt, v1alpha1.AnnotationExpiresAt: test.expiresAt}
			if got := life(annotations); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
