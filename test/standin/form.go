package standin

import (
	"net/url"
	"strings"
)

// pair is one parameter of a form.
type pair struct {
	name, value string
}

// form is a decoded application/x-www-form-urlencoded body. Token requests have
// few parameters, so a slice with room for all of them beats a map.
type form struct {
	backing [8]pair
	pairs   []pair
	// duplicate is the first name that occurs twice.
	duplicate string
}

// parse decodes body and says whether it is well-formed.
func (f *form) parse(body string) bool {
	f.pairs = f.backing[:0]
	wellFormed := true
	for body != "" {
		var field string
		field, body, _ = strings.Cut(body, "&")
		if field == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(field, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if nameErr != nil || valueErr != nil {
			wellFormed = false
			continue
		}
		if f.has(name) && f.duplicate == "" {
			f.duplicate = name
		}
		f.pairs = append(f.pairs, pair{name: name, value: value})
	}
	return wellFormed
}

// values are the parameters, each with all its values.
func (f *form) values() url.Values {
	values := url.Values{}
	for _, p := range f.pairs {
		values.Add(p.name, p.value)
	}
	return values
}

// has says whether the parameter is there, be it empty.
func (f *form) has(name string) bool {
	for i := range f.pairs {
		if f.pairs[i].name == name {
			return true
		}
	}
	return false
}

// get returns the first value of the parameter, empty when it is not there.
func (f *form) get(name string) string {
	for i := range f.pairs {
		if f.pairs[i].name == name {
			return f.pairs[i].value
		}
	}
	return ""
}
