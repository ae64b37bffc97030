package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/redact"
)

// encodeJSON writes the form as a JSON object, its members in the order in
// which their names first occur.
func (f form) encodeJSON() (string, error) {
	var body bytes.Buffer

	body.WriteByte('{')

	for i, p := range f {
		// encoding/json would silently send something else.
		if !utf8.ValidString(p.name) || !utf8.ValidString(p.value) {
			return "", invalidRequest(fmt.Sprintf("The parameter %s holds bytes that are not UTF-8, which cannot be sent "+
				"with bodyFormat JSON. Check the value where it is stored.", redact.Message(p.name)))
		}

		if f[:i].has(p.name) {
			continue
		}

		if i > 0 {
			body.WriteByte(',')
		}

		writeJSON(&body, p.name)
		body.WriteByte(':')

		if values := f.values(p.name); len(values) > 1 {
			writeJSON(&body, values)
		} else {
			writeJSON(&body, p.value)
		}
	}

	body.WriteByte('}')

	return body.String(), nil
}

// has tells whether the form has a parameter of this name.
func (f form) has(name string) bool {
	return len(f.values(name)) > 0
}

// values returns the values of all parameters of this name.
func (f form) values(name string) []string {
	var values []string

	for _, p := range f {
		if p.name == name {
			values = append(values, p.value)
		}
	}

	return values
}

// writeJSON writes a string or strings without the escapes that are meant for
// HTML, which some readers of JSON do not undo.
func writeJSON(body *bytes.Buffer, value any) {
	encoder := json.NewEncoder(body)
	encoder.SetEscapeHTML(false)

	if err := encoder.Encode(value); err != nil {
		panic(err) // strings always have an encoding
	}

	body.Truncate(body.Len() - 1) // the line break
}
