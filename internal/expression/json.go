package expression

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// toJSON writes a value as compact JSON with sorted keys, and with <, > and & as they are.
func toJSON(value ref.Val) ref.Val {
	converted, refusal := new(converter).native(value, 0)
	if refusal != nil {
		return types.WrapErr(refusal)
	}

	var written bytes.Buffer

	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)

	if err := encoder.Encode(converted); err != nil {
		return types.WrapErr(&fault{code: codeMismatch})
	}

	if written.Len() > maxTextMade {
		return types.WrapErr(&fault{code: codeTextMade})
	}

	return types.String(bytes.TrimSuffix(written.Bytes(), []byte("\n")))
}

// encodeText is base64.encode of a text, so that nobody needs to write bytes().
func encodeText(value ref.Val) ref.Val {
	encoded, ok := value.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(value)
	}

	return types.String(base64.StdEncoding.EncodeToString([]byte(encoded)))
}
