package inspect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// jwt is a JWT as far as it can be read without its key (RFC 7519). Nothing of it is
// verified.
type jwt struct {
	// Algorithm and KeyID are those of its header.
	Algorithm, KeyID string
	// Claims are those of its payload; nil where that is encrypted.
	Claims map[string]any
	// Encrypted says that only whom it is for can read it (RFC 7516).
	Encrypted bool
}

const (
	signedParts    = 3 // RFC 7515 section 7.1
	encryptedParts = 5 // RFC 7516 section 7.1
)

// parseJWT reads a JWT, with or without a scheme such as Bearer before it. It answers
// false for what is none.
func parseJWT(value string) (jwt, bool) {
	words := strings.Fields(value)
	if len(words) == 0 {
		return jwt{}, false
	}
	parts := strings.Split(words[len(words)-1], ".")
	if len(parts) != signedParts && len(parts) != encryptedParts {
		return jwt{}, false
	}
	header, ok := decodeObject(parts[0])
	if !ok {
		return jwt{}, false
	}
	token := jwt{Encrypted: len(parts) == encryptedParts}
	token.Algorithm, _ = header["alg"].(string)
	token.KeyID, _ = header["kid"].(string)
	if token.Encrypted {
		return token, token.Algorithm != ""
	}
	token.Claims, ok = decodeObject(parts[1])
	return token, ok && token.Algorithm != ""
}

// decodeObject reads a JSON object in base64url.
func decodeObject(part string) (map[string]any, bool) {
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(decoded))
	decoder.UseNumber()
	var object map[string]any
	if decoder.Decode(&object) != nil || object == nil {
		return nil, false
	}
	_, err = decoder.Token()
	return object, errors.Is(err, io.EOF)
}
