package oauth

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"strings"
)

const (
	maxBodyBytes = 1 << 20
	maxDepth     = 64
)

// problem says in the rest of a sentence why an answer cannot be used. It is
// empty where it can, and never quotes the answer.
type problem string

// fields is the top level of an answer. Numbers are of type json.Number.
type fields map[string]any

// text returns a field if it is a string, else nothing.
func (f fields) text(name string) string {
	text, _ := f[name].(string)

	return text
}

// readBody reads no more than the largest body and one byte, which tells that
// there is more.
func readBody(r io.Reader) (body []byte, large bool, err error) {
	body, err = io.ReadAll(io.LimitReader(r, maxBodyBytes+1))

	return body, len(body) > maxBodyBytes, err
}

// parseBody reads JSON (RFC 6749 section 5.1) or, as some providers answer, a
// form. It goes by what the body looks like: the Content-Type is wrong too
// often.
func parseBody(body []byte) (fields, problem) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))

	switch {
	case len(body) == 0:
		return nil, "has no body"
	case body[0] == '<':
		return nil, "is an HTML or XML page"
	case body[0] == '{':
		return parseJSON(body)
	default:
		return parseForm(string(body))
	}
}

// parseJSON reads a JSON object.
func parseJSON(body []byte) (fields, problem) {
	if tooDeep(body) {
		return nil, "is JSON that is nested too deeply"
	}

	const notJSON = "is not valid JSON"

	var f fields

	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()

	if err := decoder.Decode(&f); err != nil {
		return nil, notJSON
	}

	if _, err := decoder.Token(); err != io.EOF {
		return nil, notJSON
	}

	return f, ""
}

// tooDeep tells whether JSON has more than maxDepth arrays and objects within
// each other.
func tooDeep(body []byte) bool {
	depth, quoted, escaped := 0, false, false

	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}

	return false
}

// parseForm reads application/x-www-form-urlencoded. Almost any text is one, so
// it must have one of the parameters that matter.
func parseForm(body string) (fields, problem) {
	const neither = "is neither JSON nor form-encoded"

	if !strings.Contains(body, "access_token=") && !strings.Contains(body, "error=") {
		return nil, neither
	}

	values, err := url.ParseQuery(body)
	if err != nil || !values.Has("access_token") && !values.Has("error") {
		return nil, neither
	}

	f := fields{}
	for name, value := range values {
		f[name] = value[0]
	}

	return f, ""
}
