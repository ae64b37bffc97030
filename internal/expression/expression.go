package expression

import (
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

const (
	// maxSource is the most bytes of an expression.
	maxSource = 2 << 10
	// maxPrograms is how many compiled expressions are kept.
	maxPrograms = 512
	// maxSources is how many bytes of source they may have together. A program takes up to a hundred times as much.
	maxSources = 128 << 10
)

// Compiler compiles and evaluates expressions, and keeps those that were used last. It is safe for concurrent use.
type Compiler struct {
	programs *cache
	// languages are made when they are first needed: the sidecar needs few.
	languages map[Environment]func() (*language, error)
}

// program is a compiled expression.
type program struct {
	language *language
	planned  cel.Program
}

// NewCompiler makes a Compiler.
func NewCompiler() *Compiler {
	c := &Compiler{programs: newCache(maxPrograms, maxSources), languages: map[Environment]func() (*language, error){}}

	for _, environment := range []Environment{Request, RequestRefresh, Response, Data} {
		c.languages[environment] = sync.OnceValues(func() (*language, error) { return newLanguage(environment) })
	}

	return c
}

// Check compiles an expression. What is wrong with it is an *Error; field says where it stands.
func (c *Compiler) Check(environment Environment, field, source string) error {
	if _, problem := c.compile(environment, source); problem != "" {
		return &Error{Field: field, Source: source, Problem: problem}
	}

	return nil
}

// Evaluate returns the value of an expression as JSON would hold it: nil (null, or absent in Response), bool, int64,
// uint64 (integers beyond int64), float64, string, []any or map[string]any; and []byte for bytes. An instant is RFC 3339
// text, a duration text such as `90s`.
//
// Variables are those of the environment; one with a dot in its name is a field of a map: `client.id` is `id` in
// `client`. Values are JSON decoded into any (with json.Number or without), maps of strings, and instants. What the
// environment does not have is ignored, what is missing is absent. Nothing is changed.
//
// Whatever goes wrong is an *Error that holds no value of a variable.
func (c *Compiler) Evaluate(environment Environment, field, source string, variables map[string]any) (any, error) {
	p, problem := c.compile(environment, source)
	if problem == "" {
		var value any

		if value, problem = p.evaluate(source, variables); problem == "" {
			return value, nil
		}
	}

	return nil, &Error{Field: field, Source: source, Problem: problem}
}

// compile returns the program of an expression, or what is wrong with it.
func (c *Compiler) compile(environment Environment, source string) (*program, string) {
	switch {
	case source == "":
		return nil, `it is empty; the empty text is ""`
	case len(source) > maxSource:
		return nil, fmt.Sprintf("it is longer than %d bytes", maxSource)
	case !utf8.ValidString(source):
		return nil, "it is not UTF-8"
	}

	if p := c.programs.get(key{environment, source}); p != nil {
		return p, ""
	}

	language, found := c.languages[environment]
	if !found {
		return nil, "it stands where there are no expressions"
	}

	l, err := language()
	if err != nil {
		return nil, "the language could not be set up"
	}

	p, problem := l.compile(source)
	if problem == "" {
		c.programs.put(key{environment, source}, p)
	}

	return p, problem
}

// compile parses, checks, rewrites and plans an expression.
func (l *language) compile(source string) (*program, string) {
	parsed, issues := l.env.Parse(source)
	if issues.Err() != nil {
		return nil, syntaxProblem(issues.Errors())
	}

	if nested(parsed.NativeRep().Expr(), 0) {
		return nil, fmt.Sprintf("it is nested more than %d levels deep", maxNesting)
	}

	flatten(parsed.NativeRep())

	checked, issues := l.env.Check(parsed)
	if issues.Err() != nil {
		return nil, l.checkProblem(parsed, issues.Errors())
	}

	tree := checked.NativeRep()
	if problem := rewrite(tree); problem != "" {
		return nil, problem
	}

	planned, err := l.env.PlanProgram(tree,
		cel.CostTracking(prices{}), cel.CostLimit(maxCost), cel.CustomDecoratorV2(l.decorate))
	if err != nil {
		return nil, "it cannot be compiled"
	}

	return &program{language: l, planned: planned}, ""
}

// evaluate returns the value of an expression, or what is wrong.
func (p *program) evaluate(source string, variables map[string]any) (value any, problem string) {
	// CEL catches what panics while it evaluates; values are made into Go values beyond it.
	defer func() {
		if recover() != nil {
			value, problem = nil, "it cannot be evaluated"
		}
	}()

	result, _, err := p.planned.Eval(p.activation(variables))
	if err != nil {
		return nil, p.language.failure(source, err)
	}

	converted, refusal := new(converter).native(result, 0)
	if refusal != nil {
		return nil, refusal.problem("the result")
	}

	return converted, ""
}

// activation gives each variable of the environment a value.
func (p *program) activation(variables map[string]any) map[string]any {
	values := make(map[string]any, len(p.language.names))

	for _, name := range p.language.names {
		value, found := lookUp(variables, name)

		switch {
		case found:
			values[name] = value
		case p.language.environment.lenient():
			values[name] = types.NullValue
		default:
			values[name] = absent(name)
		}
	}

	return values
}

// absent is what stands for a variable without a value: an error where it is used.
func absent(name string) ref.Val {
	return types.WrapErr(&fault{code: codeAbsent, name: name})
}

// failure says what is wrong in words of this package: those of CEL quote values.
func (l *language) failure(source string, err error) string {
	if ended := (interpreter.EvalCancelledError{}); errors.As(err, &ended) {
		return "it takes too much work; make it simpler, or shorten what it works on"
	}

	f := (*fault)(nil)
	if !errors.As(err, &f) {
		return "it cannot be evaluated with the values that there are"
	}

	if f.name != "" {
		return f.problem(f.name)
	}

	return f.problem(l.part(source, f.node))
}
