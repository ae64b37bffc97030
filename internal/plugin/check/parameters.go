package check

import (
	"slices"
	"strings"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// parameter is one of the request, fit to be shown.
type parameter struct{ name, value string }

// parameters are those of a request in the order in which they are sent, without their
// secrets.
func parameters(r oauth.Request) []parameter {
	if r.BodyFormat == oauth.BodyNone {
		return nil
	}
	var list []parameter
	add := func(name, value string) { list = append(list, parameter{name, value}) }
	if r.GrantType != "" {
		add("grant_type", r.GrantType)
	}
	if r.Assertion != nil {
		add("assertion", "[redacted: a JWT that was signed here]")
	}
	for _, field := range r.Grant {
		add(field.Name, shown(field, strings.HasSuffix(field.Name, "_token_type") || field.Name == "redirect_uri"))
	}
	if len(r.Scopes) > 0 {
		separator := r.ScopeSeparator
		if separator == "" {
			separator = " "
		}
		add("scope", strings.Join(r.Scopes, separator))
	}
	for _, audience := range r.Audiences {
		add("audience", audience)
	}
	for _, resource := range r.Resources {
		add("resource", resource)
	}
	list = append(list, clientParameters(r.Client)...)
	list = slices.DeleteFunc(list, func(p parameter) bool { return slices.Contains(r.OmitParameters, p.name) })
	list = slices.DeleteFunc(list, func(p parameter) bool {
		return slices.ContainsFunc(r.Parameters, func(field oauth.Field) bool { return field.Name == p.name })
	})
	for _, field := range r.Parameters {
		list = append(list, parameter{field.Name, shown(field, field.Public)})
	}
	return list
}

// clientParameters are those that say who asks.
func clientParameters(c oauth.ClientAuthentication) []parameter {
	var list []parameter
	if c.ID != "" && c.Method != oauth.MethodClientSecretBasic {
		list = append(list, parameter{"client_id", c.ID})
	}
	switch c.Method {
	case oauth.MethodClientSecretPost:
		list = append(list, parameter{"client_secret", redact.Marker})
	case oauth.MethodClientSecretJWT, oauth.MethodPrivateKeyJWT:
		list = append(list,
			parameter{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			parameter{"client_assertion", "[redacted: a JWT]"})
	case oauth.MethodClientSecretBasic, oauth.MethodTLSClientAuth, oauth.MethodSelfSignedTLSClientAuth, oauth.MethodNone:
	}
	return list
}

func shown(field oauth.Field, public bool) string {
	if public {
		return redact.Message(field.Value.Reveal())
	}
	return redact.Marker
}
