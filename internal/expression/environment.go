package expression

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/ext"
)

// Environment names the variables of an expression.
type Environment int

// The environments. A variable with a dot in its name is a field of a map to the caller: see [Compiler.Evaluate].
const (
	// Request is what goes into a header or parameter: `value` (the value that stands beside the expression),
	// `client.id`, `variables` (texts by name) and `now` (an instant).
	Request Environment = iota
	// RequestRefresh is Request under the refresh token grant, with `refresh_token`.
	RequestRefresh
	// Response is what a provider answered: `status` (an integer), `headers` (texts by lower-case name) and `body`
	// (decoded JSON, or text). Absent paths are null here.
	Response
	// Data is what goes into a Secret: `token` (a map), `client.id`, `credential.name`, `credential.namespace`.
	Data
)

// lenient tells whether absent paths are null.
func (e Environment) lenient() bool {
	return e == Response
}

// variables returns the types of the variables by name.
func (e Environment) variables() map[string]*cel.Type {
	texts := cel.MapType(cel.StringType, cel.StringType)

	switch e {
	case Request:
		return map[string]*cel.Type{
			"value": cel.DynType, "client.id": cel.StringType, "variables": texts, "now": cel.TimestampType,
		}
	case RequestRefresh:
		return map[string]*cel.Type{
			"value": cel.DynType, "client.id": cel.StringType, "variables": texts, "now": cel.TimestampType,
			nameRefreshToken: cel.StringType,
		}
	case Response:
		return map[string]*cel.Type{"status": cel.IntType, "headers": texts, "body": cel.DynType}
	case Data:
		return map[string]*cel.Type{
			"token": cel.MapType(cel.StringType, cel.DynType), "client.id": cel.StringType,
			"credential.name": cel.StringType, "credential.namespace": cel.StringType,
		}
	default:
		return nil
	}
}

const (
	nameRefreshToken = "refresh_token"

	// maxNodes bounds what the macros make of an expression.
	maxNodes = 5000
)

// language is CEL as one environment speaks it.
type language struct {
	environment Environment
	// names has the variables, sorted.
	names []string
	env   *cel.Env
	// implementations has what a call does, by overload and by function.
	implementations map[string]*functions.Overload
}

func newLanguage(environment Environment) (*language, error) {
	declared := environment.variables()
	l := &language{environment: environment, implementations: map[string]*functions.Overload{}}

	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(env.NewLibrarySubset().AddExcludedFunctions(zoned()...))),
		cel.OptionalTypes(),
		// The versions stand still, so that an update of the library brings no function that nobody looked at.
		ext.Strings(ext.StringsVersion(5)),
		ext.Encoders(ext.EncodersVersion(0)),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.CustomTypeAdapter(adapter{}),
		cel.ParserExpressionSizeLimit(maxSource),
		cel.ExpressionNodeLimit(maxNodes),
		// Messages show parts of the expression as they were written, not what a macro made of them.
		cel.EnableMacroCallTracking(),
	}
	options = append(options, ownFunctions(environment.lenient())...)

	for name, kind := range declared {
		l.names = append(l.names, name)
		options = append(options, cel.Variable(name, kind))
	}

	slices.Sort(l.names)

	var err error
	if l.env, err = cel.NewCustomEnv(options...); err != nil {
		return nil, err
	}

	for _, function := range l.env.Functions() {
		bindings, err := function.Bindings()
		if err != nil {
			return nil, err
		}

		for _, binding := range bindings {
			l.implementations[binding.Operator] = binding
		}
	}

	return l, nil
}

// zoned returns the functions that read the time zone they are given from the file system.
func zoned() []*env.Function {
	byFunction := map[string]string{
		overloads.TimeGetFullYear:     overloads.TimestampToYearWithTz,
		overloads.TimeGetMonth:        overloads.TimestampToMonthWithTz,
		overloads.TimeGetDayOfYear:    overloads.TimestampToDayOfYearWithTz,
		overloads.TimeGetDayOfMonth:   overloads.TimestampToDayOfMonthZeroBasedWithTz,
		overloads.TimeGetDate:         overloads.TimestampToDayOfMonthOneBasedWithTz,
		overloads.TimeGetDayOfWeek:    overloads.TimestampToDayOfWeekWithTz,
		overloads.TimeGetHours:        overloads.TimestampToHoursWithTz,
		overloads.TimeGetMinutes:      overloads.TimestampToMinutesWithTz,
		overloads.TimeGetSeconds:      overloads.TimestampToSecondsWithTz,
		overloads.TimeGetMilliseconds: overloads.TimestampToMillisecondsWithTz,
	}

	excluded := make([]*env.Function, 0, len(byFunction))
	for name, overload := range byFunction {
		excluded = append(excluded, env.NewFunction(name, env.NewOverload(overload, nil, nil)))
	}

	return excluded
}

// lookUp finds the value of a variable in what the caller passed: `client.id` is the field `id` of `client`.
func lookUp(variables map[string]any, name string) (any, bool) {
	outer, inner, nested := strings.Cut(name, ".")
	if !nested {
		value, found := variables[name]

		return value, found
	}

	switch fields := variables[outer].(type) {
	case map[string]any:
		value, found := fields[inner]

		return value, found
	case map[string]string:
		value, found := fields[inner]

		return value, found
	default:
		return nil, false
	}
}
