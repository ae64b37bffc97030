package oauth

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// Answer is a token and what came with it (RFC 6749 section 5.1).
type Answer struct {
	// AccessToken is not empty and holds no control characters.
	AccessToken redact.String
	// TokenType is Bearer where the answer says so in any of the usual ways,
	// or nothing at all; else what the answer says, fit to be shown.
	TokenType string
	// Scope is the granted scope, separated by single spaces; empty where the
	// answer has none.
	Scope string
	// RefreshToken is empty where the answer has none.
	RefreshToken redact.String
	// Claims is what the answer says about the token's life. Instants are
	// taken from it only where it has no expires_in.
	Claims lifetime.Claims
	// Sent is just before the request went out, Received when the answer's
	// headers had arrived, both by Options.Now.
	Sent, Received time.Time
}

// newAnswer makes an Answer of the fields of a 2xx.
func newAnswer(f fields, header http.Header) (*Answer, problem) {
	token, ok := f["access_token"].(string)

	switch {
	case f["access_token"] == nil || ok && token == "":
		return nil, "has no access_token"
	case !ok:
		return nil, "has an access_token that is not a string"
	case !clean(token):
		return nil, "has an access_token with control characters or invalid UTF-8"
	}

	tokenType, bound := normaliseType(f.text("token_type"))
	if bound {
		return nil, problem("has a token of the type " + tokenType +
			", which is bound to a key and of no use to others")
	}

	answer := &Answer{
		AccessToken: redact.New(token),
		TokenType:   tokenType,
		Scope:       joinScope(f["scope"]),
		Claims:      claims(f, header),
	}

	if refresh := f.text("refresh_token"); clean(refresh) {
		answer.RefreshToken = redact.New(refresh)
	}

	return answer, ""
}

// clean tells whether a token can stand in a header.
func clean(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool {
		return isControl(r) || r == '\t' || r == utf8.RuneError
	})
}

// normaliseType returns the token type (RFC 6749 section 7.1), and whether
// such a token needs a key that only the client has.
func normaliseType(raw string) (tokenType string, bound bool) {
	switch strings.ToLower(strings.TrimSpace(raw)) {
	case "", "bearer", "bearertoken":
		return "Bearer", false
	case "dpop": // RFC 9449 section 5
		return "DPoP", true
	case "mac":
		return "mac", true
	case "pop":
		return "pop", true
	default: // such as N_A (RFC 8693 section 2.2.1)
		return redact.Message(raw), false
	}
}

// joinScope returns the scope of an answer, which is a string or, as some
// providers have it, an array.
func joinScope(scope any) string {
	var words []string

	switch scope := scope.(type) {
	case string:
		words = strings.Fields(scope)
	case []any:
		for _, item := range scope {
			if text, ok := item.(string); ok {
				words = append(words, strings.Fields(text)...)
			}
		}
	}

	return strings.Join(words, " ")
}

// claims returns what the answer says about the token's life. RFC 6749 knows
// expires_in only. Without one the names that many providers use for instants
// count, the latter of each pair being Katana's.
func claims(f fields, header http.Header) lifetime.Claims {
	c := lifetime.Claims{ExpiresIn: f["expires_in"], Date: header.Get("Date"), Age: header.Get("Age")}

	if c.ExpiresIn == nil || c.ExpiresIn == "" {
		c.ExpiresAt = firstOf(f, "expires_at", ".expires")
		c.IssuedAt = firstOf(f, "issued_at", ".issued")
	}

	return c
}

// firstOf returns the first of the fields that is there.
func firstOf(f fields, names ...string) any {
	for _, name := range names {
		if f[name] != nil {
			return f[name]
		}
	}

	return nil
}
