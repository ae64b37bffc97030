package resolve

import (
	"cmp"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// fillIn fills the variables into the URLs (RFC 6570 section 3.2.2).
func (p *Plan) fillIn() error {
	variables := p.variables()
	for _, field := range []struct {
		name string
		url  *v1alpha1.EndpointURL
	}{
		{"tokenURL", &p.Endpoint.TokenURL},
		{"issuer", &p.Endpoint.Issuer},
		{"authorizationURL", &p.Endpoint.AuthorizationURL},
		{"deviceAuthorizationURL", &p.Endpoint.DeviceAuthorizationURL},
		{"revocationURL", &p.Endpoint.RevocationURL},
	} {
		template := string(*field.url)
		filled, inAuthority, missing := expand(template, variables)
		switch {
		case missing != "":
			return incompatible("%s needs the variable %q: set spec.providerRef.variables.%s", p.providerField(field.name), missing, missing)
		case inAuthority && p.HoldsSecret:
			return incompatible("%s has a template in its host, where a credential could steer the secret that the provider holds: "+
				"its administrator has to write the host out", p.providerField(field.name))
		}
		*field.url = v1alpha1.EndpointURL(filled)
		switch field.name {
		case "tokenURL", "deviceAuthorizationURL", "revocationURL":
			p.steered = p.steered || inAuthority
		case "issuer":
			// Its metadata name any host, unless there is a secret that must not go there.
			p.steered = p.steered || filled != template && !p.HoldsSecret
		}
	}
	return nil
}

// expand fills a template, and tells whether there was a variable in its authority,
// and the name of one that has no value.
func expand(template string, variables map[string]v1alpha1.VariableValue) (filled string, inAuthority bool, missing string) {
	var b strings.Builder
	rest := template
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String(), inAuthority, ""
		}
		name, tail, _ := strings.Cut(after, "}")
		value, ok := variables[name]
		if !ok {
			return "", false, cmp.Or(name, "{}") // The schema lets no template through that has no name.
		}
		inAuthority = inAuthority || !hasAuthority(b.String())
		b.WriteString(string(value))
		rest = tail
	}
}

// hasAuthority tells whether the authority of a URL ends in this beginning of it
// (RFC 3986 section 3.2).
func hasAuthority(beginning string) bool {
	_, rest, found := strings.Cut(beginning, "//")
	return found && strings.ContainsAny(rest, "/?#")
}
