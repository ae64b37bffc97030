package redact

import (
	"net/url"
	"strings"
	"unicode"
)

const (
	// maxMessage is the most characters that Message returns.
	maxMessage = 256
	ellipsis   = "…"
	invalidURL = "[invalid URL]"
)

// Message makes text from elsewhere fit to be shown: at most 256 printable
// characters on one line. Control characters, characters that change the
// direction of text and those of no width are dropped, runs of white space
// become one space, bytes that are not UTF-8 become U+FFFD, and where
// something was cut off, the last character is an ellipsis.
func Message(text string) string {
	return cut(fold(text))
}

// URL returns scheme, host and path of raw, without userinfo, query and
// fragment, any of which may hold a secret. What is not an absolute URL with
// a host gives a fixed text.
func URL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Opaque != "" {
		return invalidURL
	}

	return Message(u.Scheme + "://" + u.Host + u.EscapedPath())
}

// fold drops what cannot be seen and folds white space.
func fold(text string) string {
	var b strings.Builder

	b.Grow(len(text))

	space := false

	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
		case !visible(r):
		default:
			if space {
				b.WriteByte(' ')

				space = false
			}

			b.WriteRune(r)
		}
	}

	return b.String()
}

// visible tells whether r takes room of its own. Characters such as the Hangul
// fillers are letters to Unicode and yet show nothing.
func visible(r rune) bool {
	const brailleBlank = '\u2800'

	return unicode.IsPrint(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// cut keeps the first maxMessage characters, the ellipsis included.
func cut(text string) string {
	count, end := 0, 0

	for i := range text {
		if count == maxMessage-1 {
			end = i
		}

		if count == maxMessage {
			return strings.TrimRight(text[:end], " ") + ellipsis
		}

		count++
	}

	return text
}
