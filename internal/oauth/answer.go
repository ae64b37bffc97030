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
	// RefreshTokenExpiresIn is what the answer says about the life of the
	// refresh token, as it came off the wire; nil where it says nothing.
	// RefreshTokenExpiresAt reads it.
	RefreshTokenExpiresIn any
	// Claims is what the answer says about the token's life. Instants are
	// taken from it only where it has no expires_in, or where a ResponseMapper
	// finds them.
	Claims lifetime.Claims
	// Raw is the whole answer where it is JSON and Request.WantRaw asks for it,
	// else nil. It has the access token, but neither the refresh token nor a
	// secret of the request.
	Raw any
	// Extra is what a ResponseMapper found beside that, without the same
	// secrets; nil unless Request.WantExtra asks for it.
	Extra map[string]any
	// Sent is just before the request went out, Received when the answer's
	// headers had arrived, both by Options.Now.
	Sent, Received time.Time
}

// RefreshTokenExpiresAt returns when the refresh token ends by our clock, in whole
// seconds, and false where the answer says nothing that can be used, or that it
// does not end.
func (a *Answer) RefreshTokenExpiresAt() (time.Time, bool) {
	return lifetime.ReadRefreshToken(a.RefreshTokenExpiresIn, a.Claims, a.Sent, a.Received)
}

// newAnswer makes an Answer of a 2xx.
func (x *exchange) newAnswer(r *reading, header http.Header) (*Answer, problem) {
	if wrong := r.refused(); wrong != "" {
		return nil, wrong
	}

	if wrong := r.tokenProblem(); wrong != "" {
		return nil, wrong
	}

	tokenType, bound := normaliseType(r.text(NameTokenType))
	if bound {
		return nil, problem("has a token of the type " + tokenType +
			", which is bound to a key and of no use to others")
	}

	answer := &Answer{
		AccessToken:           redact.New(r.text(NameAccessToken)),
		TokenType:             tokenType,
		Scope:                 joinScope(r.values[NameScope]),
		RefreshToken:          r.refreshToken(),
		RefreshTokenExpiresIn: r.values[NameRefreshTokenExpiresIn],
		Claims:                r.claims(header),
	}

	x.addRest(answer, r)

	return answer, ""
}

// addRest adds what is wanted of an answer beside the token, without secrets.
func (x *exchange) addRest(answer *Answer, r *reading) {
	raw, extra := x.request.WantRaw && r.json, x.request.WantExtra && len(r.mapping.Extra) > 0
	if !raw && !extra {
		return
	}

	secrets := append(x.request.Secrets(), redact.New(r.text(NameRefreshToken)), redact.New(r.fields.text("refresh_token")))
	scrubber := redact.NewScrubber(secrets...)

	if raw {
		answer.Raw = scrubber.Strip(r.value, answer.AccessToken)
	}

	if extra {
		answer.Extra, _ = scrubber.Strip(r.mapping.Extra, answer.AccessToken).(map[string]any)
	}
}

// tokenProblem returns why the access token cannot be used, if it cannot.
func (r *reading) tokenProblem() problem {
	const mark = "<"

	name := problem("access_token")
	if r.mapped(NameAccessToken) {
		name = "access token at response.accessToken"
	}

	value := r.values[NameAccessToken]
	token, ok := value.(string)

	switch {
	case value == nil && r.value == nil:
		return noBody
	case value == nil || ok && token == "":
		return "has no " + name
	case !ok:
		return "has an " + name + " that is not a string"
	case !clean(token):
		return "has an " + name + " with control characters or invalid UTF-8"
	case strings.HasPrefix(token, mark):
		return "has an " + name + " that is an HTML or XML page"
	default:
		return ""
	}
}

// refreshToken returns the refresh token, if there is one that can be sent.
func (r *reading) refreshToken() redact.String {
	token := r.text(NameRefreshToken)
	if !clean(token) {
		return redact.String{}
	}

	return redact.New(token)
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
	case "n_a": // a token that is no access token (RFC 8693 section 2.2.1)
		return "N_A", false
	default:
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
func (r *reading) claims(header http.Header) lifetime.Claims {
	c := lifetime.Claims{
		ExpiresIn: r.values[NameExpiresIn],
		ExpiresAt: r.values[NameExpiresAt],
		IssuedAt:  r.values[NameIssuedAt],
		Date:      header.Get("Date"),
		Age:       header.Get("Age"),
	}

	if c.ExpiresIn != nil && c.ExpiresIn != "" {
		return c
	}

	if !r.mapped(NameExpiresAt) {
		c.ExpiresAt = firstOf(r.fields, "expires_at", ".expires")
	}

	if !r.mapped(NameIssuedAt) {
		c.IssuedAt = firstOf(r.fields, "issued_at", ".issued")
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
