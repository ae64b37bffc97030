package expression

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// The functions that rewriting puts into an expression. Nobody can write them: an identifier holds no @.
const (
	// callGet is a field or element: null or an error where it is absent.
	callGet = "@get"
	// callFind is a field or element, null where it is absent.
	callFind = "@find"
	// callHas tells whether there is a field.
	callHas = "@has"
	// callOptional is a field or element as an optional value.
	callOptional = "@optional"
	// callTruth is a condition.
	callTruth = "@truth"
	// callChoice is the optional value that or() and orValue() give an alternative for.
	callChoice = "@choice"
	// callRange is what a comprehension goes over.
	callRange = "@range"
)

// The functions of this package that users call.
const (
	callToJSON = "toJSON"
	callJWT    = "jwt"
	callEncode = "base64.encode"
)

// ownFunctions declares the functions that CEL does not have.
func ownFunctions(lenient bool) []cel.EnvOption {
	pair := []*cel.Type{cel.DynType, cel.DynType}
	one := []*cel.Type{cel.DynType}
	text := []*cel.Type{cel.StringType}

	binary := func(name string, result *cel.Type, f func(container, key ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload(name+"_any", pair, result, cel.BinaryBinding(f)))
	}
	unary := func(name, overload string, args []*cel.Type, result *cel.Type, f func(ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload(overload, args, result, cel.UnaryBinding(f)))
	}

	get := getStrictly
	if lenient {
		get = getOrNull
	}

	return []cel.EnvOption{
		binary(callGet, cel.DynType, get),
		binary(callFind, cel.DynType, getOrNull),
		binary(callHas, cel.BoolType, has),
		binary(callOptional, cel.OptionalType(cel.DynType), func(container, key ref.Val) ref.Val {
			return getOptional(container, key, lenient)
		}),
		unary(callTruth, callTruth+"_any", one, cel.BoolType, func(v ref.Val) ref.Val { return truth(v, lenient) }),
		unary(callChoice, callChoice+"_any", one, cel.DynType, func(v ref.Val) ref.Val { return choice(v, lenient) }),
		unary(callRange, callRange+"_any", one, cel.DynType, func(v ref.Val) ref.Val { return iterable(v, lenient) }),
		unary(callToJSON, "to_json_any", one, cel.StringType, toJSON),
		unary(callJWT, "jwt_string", text, cel.DynType, claims),
		unary(callEncode, "base64_encode_string", text, cel.StringType, encodeText),
	}
}

// find looks into a list or a map, and through an optional value.
func find(container, key ref.Val) (ref.Val, bool) {
	switch container := container.(type) {
	case *types.Optional:
		if !container.HasValue() {
			return nil, false
		}

		return find(container.GetValue(), key)
	case traits.Mapper:
		value, found := container.Find(key)
		if !found || types.IsError(value) { // such as a key of a type that no map has
			return nil, false
		}

		return value, true
	case traits.Lister:
		return element(container, key)
	default:
		return nil, false
	}
}

// element returns an element of a list. A negative index is out of range like any other.
func element(l traits.Lister, key ref.Val) (ref.Val, bool) {
	index, ok := key.(types.Int)
	if !ok {
		// CEL takes 1u and 1.0 for 1 here.
		if index, ok = key.ConvertToType(types.IntType).(types.Int); !ok || types.Equal(index, key) != types.True {
			return nil, false
		}
	}

	if index < 0 || int(index) >= count(l) {
		return nil, false
	}

	return l.Get(index), true
}

// getOrNull returns a field or element, null where it is absent. What it finds in an optional value is optional too.
func getOrNull(container, key ref.Val) ref.Val {
	if _, optional := container.(*types.Optional); optional {
		return getOptional(container, key, true)
	}

	value, found := find(container, key)
	if !found {
		return types.NullValue
	}

	return value
}

// getStrictly returns a field or element, an error where it is absent. What it finds in an optional value is optional
// too.
func getStrictly(container, key ref.Val) ref.Val {
	if _, optional := container.(*types.Optional); optional {
		return getOptional(container, key, false)
	}

	value, found := find(container, key)
	if !found {
		return types.WrapErr(&fault{code: codeAbsent})
	}

	return value
}

// getOptional returns a field or element as an optional value. Where absent is null, null is absent.
func getOptional(container, key ref.Val, lenient bool) ref.Val {
	value, found := find(container, key)
	if !found || lenient && value == types.NullValue {
		return types.OptionalNone
	}

	return types.OptionalOf(value)
}

// has tells whether there is a field or element, be it null.
func has(container, key ref.Val) ref.Val {
	_, found := find(container, key)

	return types.Bool(found)
}

// truth returns a condition as what it must be.
func truth(value ref.Val, lenient bool) ref.Val {
	switch {
	case lenient && value == types.NullValue:
		return types.False
	case types.IsBool(value):
		return value
	default:
		return types.WrapErr(&fault{code: codeCondition})
	}
}

// choice returns a value as the optional one that it must be. Where absent is null, any value will do.
func choice(value ref.Val, lenient bool) ref.Val {
	switch _, optional := value.(*types.Optional); {
	case optional:
		return value
	case !lenient:
		return types.WrapErr(&fault{code: codeChoice})
	case value == types.NullValue:
		return types.OptionalNone
	default:
		return types.OptionalOf(value)
	}
}

// iterable returns what a comprehension can go over.
func iterable(value ref.Val, lenient bool) ref.Val {
	if lenient && value == types.NullValue {
		return types.NewDynamicList(adapter{}, []any{})
	}

	switch value.(type) {
	case traits.Lister, traits.Mapper:
		return value
	default:
		return types.WrapErr(&fault{code: codeRange})
	}
}
