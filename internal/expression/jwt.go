package expression

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// claims returns the claims of a JWT (RFC 7519 section 3) without verifying anything, or null for what is none. The
// meter saw to it that it is not too long.
func claims(value ref.Val) ref.Val {
	token, ok := value.(types.String)
	if !ok {
		return types.NullValue
	}

	parts := strings.Split(string(token), ".")
	if len(parts) != 3 { // RFC 7515 section 3.1; five are encrypted
		return types.NullValue
	}

	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return types.NullValue
	}

	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()

	var decoded map[string]any
	if err := decoder.Decode(&decoded); err != nil || decoded == nil {
		return types.NullValue
	}

	if _, err := decoder.Token(); err != io.EOF {
		return types.NullValue
	}

	return adapter{}.NativeToValue(decoded)
}
