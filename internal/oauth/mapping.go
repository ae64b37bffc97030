package oauth

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Name is a part of an answer that a ResponseMapper may find.
type Name string

// The parts of an answer, named as in the response mapping of a provider.
const (
	// NameSucceeded is true where a 2xx is a success. Anything but true makes it
	// a failure; it can make a success of nothing else.
	NameSucceeded Name = "succeeded"
	// NameAccessToken and NameTokenType are texts (RFC 6749 section 5.1).
	NameAccessToken Name = "accessToken"
	NameTokenType   Name = "tokenType"
	// NameExpiresIn is a lifetime, NameExpiresAt and NameIssuedAt are instants,
	// in every form that package lifetime reads.
	NameExpiresIn Name = "expiresIn"
	NameExpiresAt Name = "expiresAt"
	NameIssuedAt  Name = "issuedAt"
	// NameRefreshToken is a text, NameRefreshTokenExpiresIn its lifetime.
	NameRefreshToken          Name = "refreshToken"
	NameRefreshTokenExpiresIn Name = "refreshTokenExpiresIn"
	// NameScope is a text or an array of texts.
	NameScope Name = "scope"
	// NameError and NameErrorDescription are texts or numbers (RFC 6749
	// section 5.2).
	NameError            Name = "error"
	NameErrorDescription Name = "errorDescription"
)

// ResponseMapper reads an answer in the provider's own way.
type ResponseMapper interface {
	// Map returns what was found, also where it fails: a refresh token must not
	// be lost with the answer that brought it. The text of the error is shown to
	// users. It is stable, says which expression to correct, and holds nothing
	// of the answer.
	Map(answer Response) (Mapping, error)
}

// Response is an answer as a ResponseMapper sees it: with all secrets in it.
type Response struct {
	// Status is the HTTP status code.
	Status int
	// Headers has the values by the header's name in lower case, several of one
	// name joined by ", " (RFC 9110 section 5.2).
	Headers map[string]string
	// Body is JSON, decoded with json.Number; a form as an object of strings; a
	// string where it is other text; nil where it is empty or cannot be read.
	Body any
}

// Mapping is what a ResponseMapper found.
type Mapping struct {
	// Values replace what RFC 6749 says about the same part: a name that is
	// there does so with nil too, which means that the answer has no such part.
	Values map[Name]any
	// Extra is for the user, by names of the user's own.
	Extra map[string]any
}

// reading is what an answer says, whoever read it.
type reading struct {
	content

	// values has the parts by the rules of RFC 6749, replaced by the mapping.
	values  map[Name]any
	mapping Mapping
	// failed is the error of the mapper.
	failed error
}

// newReading reads content by the rules of RFC 6749.
func newReading(c content) *reading {
	f := c.fields

	return &reading{content: c, values: map[Name]any{
		NameAccessToken:           f["access_token"],
		NameTokenType:             f["token_type"],
		NameExpiresIn:             f["expires_in"],
		NameRefreshToken:          f["refresh_token"],
		NameRefreshTokenExpiresIn: firstOf(f, "refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"),
		NameScope:                 f["scope"],
		NameError:                 f["error"],
		NameErrorDescription:      f["error_description"],
	}}
}

// apply lets a mapper have its say.
func (r *reading) apply(mapper ResponseMapper, resp *http.Response) {
	if mapper == nil {
		return
	}

	r.mapping, r.failed = mapper.Map(Response{Status: resp.StatusCode, Headers: flatten(resp.Header), Body: r.value})
	maps.Copy(r.values, r.mapping.Values)

	for _, name := range []Name{NameError, NameErrorDescription} {
		if value, mapped := r.mapping.Values[name]; mapped {
			r.values[name] = textOf(value)
		}
	}
}

// text returns a part if it is a string, else nothing.
func (r *reading) text(name Name) string {
	text, _ := r.values[name].(string)

	return text
}

// mapped tells whether the mapper speaks for a part.
func (r *reading) mapped(name Name) bool {
	_, mapped := r.mapping.Values[name]

	return mapped
}

// refused returns why a 2xx does not count as a success although it may have a
// token, or nothing.
func (r *reading) refused() problem {
	succeeded, ok := r.values[NameSucceeded].(bool)

	switch {
	case !r.mapped(NameSucceeded), succeeded:
		return ""
	case !ok && r.values[NameSucceeded] != nil:
		return "is no success: response.succeeded gives neither true nor false"
	default:
		return "is no success by response.succeeded"
	}
}

// flatten returns headers as a ResponseMapper sees them.
func flatten(header http.Header) map[string]string {
	flat := make(map[string]string, len(header))
	for name, values := range header {
		flat[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), "\ufffd")
	}

	return flat
}

// textOf returns a text or a number as text, and nothing for anything else.
func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case int64:
		return strconv.FormatInt(value, 10)
	case uint64:
		return strconv.FormatUint(value, 10)
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	default:
		return ""
	}
}
