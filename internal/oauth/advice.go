package oauth

import (
	"fmt"
	"strings"

	"github.com/tokensync/tokensync/internal/redact"
)

// elsewhere are the places, other than the one of RFC 6749, at which providers
// put an access token.
var elsewhere = [][]string{
	{"accessToken"},
	{"token"},
	{"jwt"},
	{"auth_token"},
	{"data", "access_token"},
	{"data", "accessToken"},
	{"data", "token"},
	{"result", "access_token"},
	{"result", "accessToken"},
	{"result", "token"},
	{"authed_user", "access_token"},
}

// adviceForSuccess returns what to do about a 2xx that cannot be used. It names
// no part of the answer that is not on a list of ours.
func (x *exchange) adviceForSuccess(r *reading) string {
	switch {
	case x.role != roleToken:
		return fmt.Sprintf("Check that %s is the %s.", x.role.field(), x.role.name())
	case r.refused() != "":
		return "Check the request against the provider's documentation."
	case r.value == nil:
		return "Check that tokenURL is the token endpoint."
	case r.mapped(NameAccessToken):
		return "Check response.accessToken against the provider's documentation."
	}

	for _, path := range elsewhere {
		if r.fields.text(path...) != "" {
			return fmt.Sprintf("There is a text at %[1]s: if that is the token, set response.accessToken to body.%[1]s.",
				strings.Join(path, "."))
		}
	}

	return "Check that the endpoint speaks OAuth 2.0 (RFC 6749 section 5.1), or set response.accessToken."
}

// mapperAdvice returns what to add to a failure on which the mapper failed too.
func (x *exchange) mapperAdvice(r *reading) string {
	if r.failed == nil {
		return ""
	}

	return " The provider's response cannot be applied to it: " + sentence(x.scrubber(r).Clean(r.failed.Error()))
}

// scrubber returns a scrubber for texts of the answer. It knows the tokens of
// the answer too, which may stand in its description as well.
func (x *exchange) scrubber(r *reading) *redact.Scrubber {
	secrets := append(x.request.Secrets(), redact.New(r.text(NameAccessToken)), redact.New(r.text(NameRefreshToken)))

	for _, name := range []string{"access_token", "refresh_token", "id_token", "device_code"} {
		secrets = append(secrets, redact.New(r.fields.text(name)))
	}

	return redact.NewScrubber(secrets...)
}
