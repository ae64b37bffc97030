package loopback

import (
	"fmt"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// RetryAfter is what a refused request is told to wait, in seconds: a token comes as soon
// as its source has one.
const RetryAfter = "5"

// Why there is no token, in the words of programs.
const (
	NoToken      = "no_token"
	NoTokenKey   = "no_token_key"
	BadToken     = "bad_token"
	TokenExpired = "token_expired"
)

// Missing tells why a set has no token that could be served: one of the codes above, and
// a sentence that says what to do. Both are empty where it has one. key is the value of
// --token-key.
func Missing(set *sidecar.Set, key string, now time.Time) (code, sentence string) {
	switch {
	case set == nil:
		return NoToken, "There is no token yet: its source has not brought one. The log of the sidecar and /readyz say why."
	case set.Usable(now):
		return Unusable(set, key)
	}
	if code, sentence = Unusable(set, key); code != "" {
		return code, sentence
	}
	return TokenExpired, fmt.Sprintf("The token expired at %s, and its source has not brought another. The log of the sidecar says why.",
		set.Life.ExpiresAt.UTC().Format(time.RFC3339))
}

// Unusable tells, like Missing, why a set has no token that could be served, at whatever
// time.
func Unusable(set *sidecar.Set, key string) (code, sentence string) {
	switch {
	case set.Token.IsEmpty():
		return NoTokenKey, fmt.Sprintf("There is nothing in the key %q, in which the token is looked for: name the right key with --token-key.", key)
	case strings.ContainsFunc(set.Type+set.Token.Reveal(), isControl):
		return BadToken, fmt.Sprintf("The token in the key %q, or its type, holds line breaks or other characters that no header can carry: "+
			"store it without them, or name another key with --token-key.", key)
	}
	return "", ""
}

// isControl tells whether a header cannot carry a character (RFC 9110 section 5.5).
func isControl(r rune) bool { return r < ' ' || r == 0x7f }
