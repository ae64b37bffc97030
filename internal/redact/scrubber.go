package redact

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// minSecret is the length in bytes from which a value is removed from text.
// A shorter one occurs in words that have nothing to do with it, so that its
// removal would garble the text and, by the gaps, tell the value. It is no
// secret worth the name either: whoever reads the gaps could as well try all.
const minSecret = 4

// Scrubber removes the secrets that it knows from text, also where they are
// encoded: in base64 (either alphabet, padded or not, alone or as a part of a
// longer value, as in a Basic header), URL-encoded, escaped for JSON, or in
// hexadecimal. The zero value and nil know no secret. It is safe for concurrent
// use, and as little printable as a [String].
type Scrubber struct {
	// needles returns what to look for. As a function it is the one thing that
	// fmt prints as an address wherever it stands: for a verb that does not
	// fit, it follows even the pointers of unexported fields.
	needles func() []needle
}

// needle is a text to look for.
type needle struct {
	text string
	// base64 is true where text is the inside of a base64 value, all of which
	// is to be removed with it.
	base64 bool
}

// span is a range of bytes in a text.
type span struct{ start, end int }

// NewScrubber makes a Scrubber that knows the secrets. Those shorter than four
// bytes are ignored.
func NewScrubber(secrets ...String) *Scrubber {
	seen := map[needle]bool{}
	needles := []needle{}

	add := func(n needle) {
		if len(n.text) >= minSecret && !seen[n] {
			seen[n] = true

			needles = append(needles, n)
		}
	}

	for _, secret := range secrets {
		if len(secret.Reveal()) >= minSecret {
			addForms(secret.Reveal(), add)
		}
	}

	return &Scrubber{needles: func() []needle { return needles }}
}

// Clean replaces every known secret in text by [Marker] and makes the rest fit
// to be shown, as [Message] does.
//
// It looks twice: text that hides a secret behind characters of no width shows
// it once they are dropped.
func (s *Scrubber) Clean(text string) string {
	return cut(s.scrub(fold(s.scrub(text))))
}

// scrub replaces the known secrets in text.
func (s *Scrubber) scrub(text string) string {
	spans := s.find(text)
	if len(spans) == 0 {
		return text
	}

	var b strings.Builder

	pos := 0

	for _, found := range spans {
		b.WriteString(text[pos:found.start])
		b.WriteString(Marker)

		pos = found.end
	}

	b.WriteString(text[pos:])

	return b.String()
}

// find returns where the known secrets lie in text, in order and disjoint.
func (s *Scrubber) find(text string) []span {
	if s == nil || s.needles == nil {
		return nil
	}

	needles := s.needles()
	spans := findAll(text, needles)

	for _, v := range views(text) {
		for _, found := range findAll(v.text, needles) {
			spans = append(spans, v.restore(found))
		}
	}

	return merge(spans)
}

// findAll returns where the needles lie in text.
func findAll(text string, needles []needle) []span {
	var spans []span

	for _, n := range needles {
		for pos := 0; ; {
			i := strings.Index(text[pos:], n.text)
			if i < 0 {
				break
			}

			found := span{start: pos + i, end: pos + i + len(n.text)}
			if n.base64 {
				found = widen(text, found, pos)
			}

			spans = append(spans, found)
			pos = found.end
		}
	}

	return spans
}

// merge joins spans that overlap or touch.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })

	merged := spans[:0]

	for _, next := range spans {
		if last := len(merged) - 1; last >= 0 && next.start <= merged[last].end {
			merged[last].end = max(merged[last].end, next.end)

			continue
		}

		merged = append(merged, next)
	}

	return merged
}

// widen extends found to the whole base64 value around it, not before floor.
func widen(text string, found span, floor int) span {
	for found.start > floor && isBase64(text[found.start-1]) {
		found.start--
	}

	for found.end < len(text) && isBase64(text[found.end]) {
		found.end++
	}

	for found.end < len(text) && text[found.end] == '=' {
		found.end++
	}

	return found
}

// isBase64 tells whether c belongs to one of the two base64 alphabets.
func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_'
}

// Format writes [Marker], whatever the verb and its flags.
func (Scrubber) Format(state fmt.State, _ rune) {
	// A failed write shows in the result of the call that formats.
	_, _ = io.WriteString(state, Marker)
}

// LogValue returns [Marker].
func (Scrubber) LogValue() slog.Value {
	return slog.StringValue(Marker)
}
