package expression

import (
	"math"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxValues bounds the values within a result.
const maxValues = 64 << 10

// converter makes Go values of CEL values, within limits: a result may be a tree that is far larger than what it is made
// of.
type converter struct {
	values, bytes int
}

// native returns a result as JSON would hold it: nil, bool, int64, uint64, float64, string, []any, map[string]any; and
// []byte, which JSON does not have.
func (c *converter) native(value ref.Val, depth int) (any, *fault) {
	if c.values++; c.values > maxValues || c.bytes > maxTextMade {
		return nil, &fault{code: codeTextMade}
	}

	if depth > maxDepth {
		return nil, &fault{code: codeDepth}
	}

	switch value := value.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(value), nil
	case types.Int:
		return int64(value), nil
	case types.Uint:
		return uint64(value), nil
	case types.Double:
		return float64(value), finite(float64(value))
	case types.String:
		return string(value), c.count(len(value))
	case types.Bytes:
		return []byte(value), c.count(len(value))
	case types.Timestamp, types.Duration:
		// As string() has it: RFC 3339 in UTC, and seconds such as `90s`.
		return value.ConvertToType(types.StringType).Value(), nil
	case *types.Optional:
		if !value.HasValue() {
			return nil, nil
		}

		return c.native(value.GetValue(), depth+1)
	case traits.Lister:
		return c.list(value, depth)
	case traits.Mapper:
		return c.mapping(value, depth)
	default:
		return nil, &fault{code: codeMismatch}
	}
}

func (c *converter) list(value traits.Lister, depth int) (any, *fault) {
	list := []any{}

	for i := value.Iterator(); i.HasNext() == types.True; {
		element, refusal := c.native(i.Next(), depth+1)
		if refusal != nil {
			return nil, refusal
		}

		list = append(list, element)
	}

	return list, nil
}

func (c *converter) mapping(value traits.Mapper, depth int) (any, *fault) {
	mapping := map[string]any{}

	for i := value.Iterator(); i.HasNext() == types.True; {
		key := i.Next()

		name, ok := key.(types.String)
		if !ok {
			return nil, &fault{code: codeMismatch}
		}

		if refusal := c.count(len(name)); refusal != nil {
			return nil, refusal
		}

		element, refusal := c.native(value.Get(key), depth+1)
		if refusal != nil {
			return nil, refusal
		}

		mapping[string(name)] = element
	}

	return mapping, nil
}

func (c *converter) count(length int) *fault {
	if c.bytes += length; c.bytes > maxTextMade {
		return &fault{code: codeTextMade}
	}

	return nil
}

func finite(f float64) *fault {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return &fault{code: codeMismatch}
	}

	return nil
}
