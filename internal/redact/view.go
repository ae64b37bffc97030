package redact

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text with one kind of escape undone.
type view struct {
	text string
	// source has, for every byte of text and for its end, the place in the
	// text before.
	source []int
}

// decoder reads what stands at the start of text, which is not empty: the
// bytes it means, and the number of bytes it takes. Zero means that no escape
// stands there.
type decoder func(text string) (meaning string, length int)

// views returns the readings of text that differ from text itself.
func views(text string) []view {
	var found []view

	if strings.Contains(text, "%") {
		found = append(found, newView(text, decodePercent))
	}

	if strings.Contains(text, "+") {
		found = append(found, newView(text, decodeForm))
	}

	if strings.Contains(text, `\`) {
		found = append(found, newView(text, decodeJSON))
	}

	return found
}

// newView undoes what decode knows in text.
func newView(text string, decode decoder) view {
	var b strings.Builder

	b.Grow(len(text))

	source := make([]int, 0, len(text)+1)

	for pos := 0; pos < len(text); {
		meaning, length := decode(text[pos:])
		if length == 0 {
			meaning, length = text[pos:pos+1], 1
		}

		for range len(meaning) {
			source = append(source, pos)
		}

		b.WriteString(meaning)

		pos += length
	}

	return view{text: b.String(), source: append(source, len(text))}
}

// restore returns where found, a span of the view, lies in the text before.
func (v view) restore(found span) span {
	return span{start: v.source[found.start], end: v.source[found.end]}
}

// decodePercent reads a percent-encoded byte (RFC 3986 section 2.1).
func decodePercent(text string) (string, int) {
	const length = len("%41")

	if text[0] != '%' || len(text) < length {
		return "", 0
	}

	value, err := strconv.ParseUint(text[1:length], 16, 8)
	if err != nil {
		return "", 0
	}

	return string([]byte{byte(value)}), length
}

// decodeForm reads a percent-encoded byte, or a plus sign as a space.
func decodeForm(text string) (string, int) {
	if text[0] == '+' {
		return " ", 1
	}

	return decodePercent(text)
}

// decodeJSON reads an escape inside a JSON string (RFC 8259 section 7).
func decodeJSON(text string) (string, int) {
	if text[0] != '\\' || len(text) < len(`\n`) {
		return "", 0
	}

	const names, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"

	if i := strings.IndexByte(names, text[1]); i >= 0 {
		return meanings[i : i+1], len(`\n`)
	}

	const length = len(`\u0041`)

	first, ok := decodeUnit(text)
	if !ok {
		return "", 0
	}

	if second, ok := decodeUnit(text[length:]); ok {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return string(r), 2 * length
		}
	}

	return string(first), length
}

// decodeUnit reads one \uXXXX.
func decodeUnit(text string) (rune, bool) {
	const prefix, length = `\u`, len(`\u0041`)

	if len(text) < length || !strings.HasPrefix(text, prefix) {
		return 0, false
	}

	value, err := strconv.ParseUint(text[len(prefix):length], 16, 16)

	return rune(value), err == nil
}
