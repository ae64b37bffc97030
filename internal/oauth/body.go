package oauth

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	maxBodyBytes = 1 << 20
	maxDepth     = 64
)

// problem says in the rest of a sentence why an answer cannot be used. It is
// empty where it can, and never quotes the answer.
type problem string

// noBody is the problem of an answer that says nothing at all.
const noBody = problem("has no body")

// fields is the top level of an answer. Numbers are of type json.Number.
type fields map[string]any

// text returns what lies at a path of objects if it is a string, else nothing.
func (f fields) text(path ...string) string {
	last := len(path) - 1

	for _, name := range path[:last] {
		f, _ = f[name].(map[string]any)
	}

	text, _ := f[path[last]].(string)

	return text
}

// readBody reads no more than the largest body and one byte, which tells that
// there is more.
func readBody(r io.Reader) (body []byte, large bool, err error) {
	body, err = io.ReadAll(io.LimitReader(r, maxBodyBytes+1))

	return body, len(body) > maxBodyBytes, err
}

// content is the body of an answer.
type content struct {
	// value is the whole of it: JSON, a form as an object of strings, or text.
	value any
	// fields is value where that is an object, else nil.
	fields fields
	// json tells JSON from a form and from text.
	json bool
}

// parseBody reads a JSON object (RFC 6749 section 5.1) or, as some providers
// answer, a form. It goes by what the body looks like: the Content-Type is wrong
// too often.
func parseBody(body []byte) (content, problem) {
	body = trim(body)

	switch {
	case len(body) == 0:
		return content{}, noBody
	case body[0] == '<':
		return content{}, "is an HTML or XML page"
	case body[0] == '{':
		return parseJSON(body)
	default:
		return parseForm(string(body))
	}
}

// parseAnything reads what parseBody does, any other JSON, and text, such as a
// token that is all there is. A mapper tells what of it is of use.
func parseAnything(body []byte) (content, problem) {
	body = trim(body)

	if len(body) == 0 {
		return content{}, ""
	}

	if body[0] == '{' || body[0] == '[' {
		return parseJSON(body)
	}

	if c, wrong := parseJSON(body); wrong == "" {
		return c, ""
	}

	if c, wrong := parseForm(string(body)); wrong == "" && body[0] != '<' {
		return c, ""
	}

	if !utf8.Valid(body) {
		return content{}, "is neither JSON nor text in UTF-8"
	}

	return content{value: string(body)}, ""
}

// trim cuts off white space, and a byte order mark.
func trim(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}

// parseJSON reads JSON of any kind.
func parseJSON(body []byte) (content, problem) {
	if tooDeep(body) {
		return content{}, "is JSON that is nested too deeply"
	}

	const notJSON = "is not valid JSON"

	var value any

	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()

	if err := decoder.Decode(&value); err != nil {
		return content{}, notJSON
	}

	if _, err := decoder.Token(); err != io.EOF {
		return content{}, notJSON
	}

	object, _ := value.(map[string]any)

	return content{value: value, fields: object, json: true}, ""
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
func parseForm(body string) (content, problem) {
	const neither = "is neither JSON nor form-encoded"

	if !strings.Contains(body, "access_token=") && !strings.Contains(body, "error=") {
		return content{}, neither
	}

	values, err := url.ParseQuery(body)
	if err != nil || !values.Has("access_token") && !values.Has("error") {
		return content{}, neither
	}

	object := map[string]any{}
	for name, value := range values {
		object[strings.ToValidUTF8(name, "\ufffd")] = strings.ToValidUTF8(value[0], "\ufffd")
	}

	return content{value: object, fields: object}, ""
}
