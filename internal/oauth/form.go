package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// parameter is one name and value.
type parameter struct{ name, value string }

// form has the parameters of a request. Its order is that in which they were
// added, so that equal requests have equal bodies.
type form []parameter

// newForm returns the parameters of a request without those of the client's
// authentication.
func newForm(r Request, s *signer) (form, error) {
	var f form

	if r.GrantType != "" {
		f = append(f, parameter{"grant_type", r.GrantType})
	}

	if r.Assertion != nil {
		signed, err := s.grant(r)
		if err != nil {
			return nil, err
		}

		f = append(f, parameter{"assertion", signed})
	}

	for _, field := range r.Grant {
		f = append(f, parameter{field.Name, field.Value.Reveal()})
	}

	return f.request(r.Scopes, r.ScopeSeparator, r.Audiences, r.Resources), nil
}

// request returns the form with what is asked for: the scopes joined by the
// separator, or by a space where that is empty.
func (f form) request(scopes []string, separator string, audiences, resources []string) form {
	if len(scopes) > 0 {
		if separator == "" {
			separator = " "
		}

		f = append(f, parameter{"scope", strings.Join(scopes, separator)})
	}

	for _, audience := range audiences {
		f = append(f, parameter{"audience", audience})
	}

	for _, resource := range resources {
		f = append(f, parameter{"resource", resource})
	}

	return f
}

// without returns the form without the parameters of these names.
func (f form) without(names []string) form {
	return slices.DeleteFunc(f, func(p parameter) bool { return slices.Contains(names, p.name) })
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

// addTo returns the query of a URL with the form in the place of those of its
// parameters that have the same names: one that is sent twice is an error
// (RFC 6749 section 3.2). The others stay as they are, byte for byte.
func (f form) addTo(rawQuery string) string {
	pairs := slices.DeleteFunc(strings.Split(rawQuery, "&"), func(pair string) bool {
		escaped, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(escaped)

		return pair == "" || err == nil && slices.ContainsFunc(f, func(p parameter) bool { return p.name == name })
	})

	if len(f) > 0 {
		pairs = append(pairs, f.encode())
	}

	return strings.Join(pairs, "&")
}
