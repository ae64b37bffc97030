package expression

import (
	"encoding/json"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// adapter makes CEL values of Go values. It does so level by level, as an expression looks at them, because an answer
// may be large and an expression mostly wants one field of it.
type adapter struct{}

// NativeToValue returns the CEL value of what variables hold: JSON decoded into any, with or without numbers of type
// json.Number, maps of strings, and instants.
func (a adapter) NativeToValue(value any) ref.Val {
	switch value := value.(type) {
	case nil:
		return types.NullValue
	case ref.Val:
		return value
	case json.Number:
		return number(value)
	case map[string]any:
		return types.NewStringInterfaceMap(a, value)
	case map[string]string:
		return types.NewStringStringMap(a, value)
	case []any:
		return types.NewDynamicList(a, value)
	case []string:
		return types.NewStringList(a, value)
	default:
		return types.DefaultTypeAdapter.NativeToValue(value)
	}
}

// number returns the narrowest number that holds what JSON said: an integer as long as it is one and fits, else a
// double. What is not even that (json.Number holds what its maker put in) is text.
func number(n json.Number) ref.Val {
	text := n.String()

	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(i)
	}

	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return types.Uint(u)
	}

	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return types.Double(f)
	}

	return types.String(text)
}
