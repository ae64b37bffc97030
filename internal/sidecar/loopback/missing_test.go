package loopback

import (
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
)

func TestMissing(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	keys := sidecar.Keys{Token: "access_token", Expiry: "expires_at"}
	set := func(token string, expiresAt time.Time) *sidecar.Set {
		found, _ := keys.Set(map[string][]byte{"access_token": []byte(token), "other": []byte("o")}, lifetime.Token{ExpiresAt: expiresAt})
		return found
	}
	for name, test := range map[string]struct {
		set        *sidecar.Set
		code, says string
	}{
		"nothing":         {nil, NoToken, "no token yet"},
		"no key":          {set("", now.Add(time.Hour)), NoTokenKey, `"access_token", in which the token is looked for: name the right key with --token-key`},
		"no key, expired": {set("", now), NoTokenKey, "--token-key"},
		"a line break":    {set("t\n", now.Add(time.Hour)), BadToken, `"access_token", or its type, holds line breaks`},
		"expired":         {set("t", now), TokenExpired, "2030-01-02T03:04:05Z"},
		"good":            {set("t", now.Add(time.Second)), "", ""},
		"without an end":  {set("t", time.Time{}), "", ""},
	} {
		code, sentence := Missing(test.set, "access_token", now)
		if code != test.code || !strings.Contains(sentence, test.says) || (sentence == "") != (code == "") {
			t.Errorf("%s: %s, %s", name, code, sentence)
		}
	}
}
