package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// parameter is one name and value of the body.
type parameter struct{ name, value string }

// form is the body of a request. Its order is that in which the parameters
// were added, so that equal requests have equal bodies.
type form []parameter

// newForm returns the parameters that every request has in common, without
// those of the client's authentication.
func newForm(r Request) form {
	var f form

	if r.GrantType != "" {
		f = append(f, parameter{"grant_type", r.GrantType})
	}

	if len(r.Scopes) > 0 {
		f = append(f, parameter{"scope", strings.Join(r.Scopes, " ")})
	}

	for _, audience := range r.Audiences {
		f = append(f, parameter{"audience", audience})
	}

	for _, resource := range r.Resources {
		f = append(f, parameter{"resource", resource})
	}

	return f
}

// replace puts fields in the place of all parameters of the same names.
func (f form) replace(fields []Field) form {
	f = slices.DeleteFunc(f, func(p parameter) bool {
		return slices.ContainsFunc(fields, func(field Field) bool { return field.Name == p.name })
	})

	for _, field := range fields {
		f = append(f, parameter{field.Name, field.Value.Reveal()})
	}

	return f
}

// encode writes the form as application/x-www-form-urlencoded (RFC 6749
// appendix B).
func (f form) encode() string {
	pairs := make([]string, 0, len(f))
	for _, p := range f {
		pairs = append(pairs, url.QueryEscape(p.name)+"="+url.QueryEscape(p.value))
	}

	return strings.Join(pairs, "&")
}
