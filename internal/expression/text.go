package expression

import (
	"math"
	"strconv"
)

// Text returns what a value of [Compiler.Evaluate] is where only text can stand: in a header, a parameter, the data of
// a Secret. Text and bytes are taken as they are, true, false and numbers in plain decimals. Everything else, an absent
// value too, is an *Error that says what to do.
func Text(field, source string, value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case []byte:
		return string(value), nil
	case bool:
		return strconv.FormatBool(value), nil
	case int64:
		return strconv.FormatInt(value, 10), nil
	case uint64:
		return strconv.FormatUint(value, 10), nil
	case float64:
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			return strconv.FormatFloat(value, 'f', -1, 64), nil
		}

		return "", &Error{Field: field, Source: source, Problem: "it gives a number that is not finite"}
	case nil:
		return "", &Error{Field: field, Source: source, Problem: "it gives nothing where text is needed; " +
			"give a default with .? and orValue()"}
	default:
		return "", &Error{Field: field, Source: source, Problem: "it gives a list or a map where text is needed; " +
			"put toJSON() around it"}
	}
}
