package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// addForms passes the texts that give a secret away to add. Of the ways to
// escape it only the usual ones are among them, the others are undone in the
// text that is searched, see views. Neither would do: text before a secret may
// seem to begin the escape that the secret goes on with.
func addForms(secret string, add func(needle)) {
	// A secret from a file often ends in a line break that a server strips
	// before it echoes the rest; and fold may join what it holds inside.
	for _, value := range []string{secret, strings.TrimSpace(secret), fold(secret)} {
		if len(value) < minSecret {
			continue
		}

		digits := hex.EncodeToString([]byte(value))

		add(needle{text: value})
		add(needle{text: url.QueryEscape(value)})
		add(needle{text: url.PathEscape(value)})
		add(needle{text: jsonEscape(value)})
		add(needle{text: digits})
		add(needle{text: strings.ToUpper(digits)})
		addBase64(value, add)
		// RFC 6749 section 2.3.1 encodes both halves of a Basic header first.
		addBase64(url.QueryEscape(value), add)
	}
}

// jsonEscape returns value as the inside of a JSON string.
func jsonEscape(value string) string {
	quoted, err := json.Marshal(value)
	if err != nil {
		return value // a string always has an encoding
	}

	return string(quoted[1 : len(quoted)-1])
}

// addBase64 passes those characters of a base64 value that depend on value
// alone, once for each of the three places in a group of bytes where it may
// begin. They are found wherever value is a part of what was encoded.
func addBase64(value string, add func(needle)) {
	const bitsPerByte, bitsPerChar = 8, 6

	for offset := range 3 {
		padded := append(make([]byte, offset), value...)
		first := (offset*bitsPerByte + bitsPerChar - 1) / bitsPerChar
		last := len(padded) * bitsPerByte / bitsPerChar

		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			inside := encoding.EncodeToString(padded)[first:last]
			add(needle{text: inside, base64: true})
		}
	}
}
