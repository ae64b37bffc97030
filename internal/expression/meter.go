package expression

import (
	"errors"

	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// decorate puts every call of an expression into a meter.
func (l *language) decorate(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := node.(interpreter.InterpretableCall)
	if !ok {
		return node, nil
	}

	switch call.Function() {
	case "or", "orValue", operators.NotStrictlyFalse:
		// They choose between values and do no work, and must see errors or not evaluate all of their arguments.
		return node, nil
	}

	m := &meter{
		id: call.ID(), args: call.Args(), check: guards[call.Function()], lenient: l.environment.lenient(),
		tolerant: tolerant[call.Function()],
	}
	if m.check == nil {
		m.check = plain
	}

	switch call.Function() {
	case operators.Equals:
		m.do = func(args ...ref.Val) ref.Val { return types.Equal(args[0], args[1]) }
	case operators.NotEquals:
		m.do = func(args ...ref.Val) ref.Val { return types.Bool(types.Equal(args[0], args[1]) != types.True) }
	case operators.In:
		m.do = within(l.implementation(call))
	case operators.Add:
		m.do = add(l.implementation(call))
	case callTruth, callRange, callChoice:
		m.id = m.args[0].ID() // the user never wrote the call itself
	}

	if m.do == nil {
		m.do = l.implementation(call)
	}

	return m, nil
}

// implementation finds what a call does as the planner of CEL does: by overload, where it is known, else by name.
func (l *language) implementation(call interpreter.InterpretableCall) functions.FunctionOp {
	binding, found := l.implementations[call.OverloadID()]
	if !found {
		binding = l.implementations[call.Function()]
	}

	return func(args ...ref.Val) ref.Val {
		switch {
		case binding == nil:
		case binding.OperandTrait != 0 && !args[0].Type().HasTrait(binding.OperandTrait):
		case binding.Unary != nil && len(args) == 1:
			return binding.Unary(args[0])
		case binding.Binary != nil && len(args) == 2:
			return binding.Binary(args[0], args[1])
		case binding.Function != nil:
			return binding.Function(args...)
		}

		return types.WrapErr(&fault{code: codeMismatch})
	}
}

// within finds nothing in null, which comes here only where it means absent.
func within(other functions.FunctionOp) functions.FunctionOp {
	return func(args ...ref.Val) ref.Val {
		if args[1] == types.NullValue {
			return types.False
		}

		return other(args...)
	}
}

// add copies lists together. CEL makes a view of two lists, and each of many views on each other makes every look at an
// element longer.
func add(other functions.FunctionOp) functions.FunctionOp {
	return func(args ...ref.Val) ref.Val {
		left, leftOK := args[0].(traits.Lister)
		right, rightOK := args[1].(traits.Lister)

		if _, accumulates := left.(traits.MutableLister); accumulates || !leftOK || !rightOK {
			return other(args...)
		}

		elements := make([]ref.Val, 0, count(left)+count(right))

		for _, part := range []traits.Lister{left, right} {
			for i := part.Iterator(); i.HasNext() == types.True; {
				elements = append(elements, i.Next())
			}
		}

		return types.NewRefValList(adapter{}, elements)
	}
}

// meter is a call whose cost is charged before it does its work, and whose errors quote nothing.
type meter struct {
	id   int64
	args []interpreter.InterpretableV2
	// check refuses and charges.
	check guard
	do    functions.FunctionOp
	// lenient makes null of what is made of null, unless the function is tolerant and knows what to do with it.
	lenient, tolerant bool
}

// ID returns the node of the expression.
func (m *meter) ID() int64 {
	return m.id
}

// Eval evaluates the call.
func (m *meter) Eval(activation interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(activation, m.Exec)
}

// Exec evaluates the call.
func (m *meter) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	values := make([]ref.Val, len(m.args))
	absent := false

	for i, arg := range m.args {
		values[i] = arg.Exec(frame)
		if types.IsUnknownOrError(values[i]) {
			return m.failed(values[i])
		}

		absent = absent || values[i] == types.NullValue
	}

	purse := purse{frame.CostTracker()}
	purse.pay(1)

	if absent && m.lenient && !m.tolerant {
		return types.NullValue
	}

	if refusal := m.check(purse, values); refusal != nil {
		return m.failed(types.WrapErr(refusal))
	}

	result := m.do(values...)
	if types.IsUnknownOrError(result) {
		return m.failed(result)
	}

	return result
}

// failed returns a fault of this package, with the node where it happened. Errors of CEL quote values, and some of them
// are shared between all programs and would be changed by whoever labels them.
func (m *meter) failed(value ref.Val) ref.Val {
	f := (*fault)(nil)
	if failure, ok := value.(*types.Err); !ok || !errors.As(failure, &f) {
		return types.WrapErr(&fault{code: codeMismatch, node: m.id})
	}

	if f.node != 0 || f.name != "" {
		return value
	}

	return types.WrapErr(&fault{code: f.code, node: m.id})
}
