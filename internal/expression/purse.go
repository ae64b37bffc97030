package expression

import (
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxCost is the work of one evaluation: some milliseconds for one that uses it up.
const maxCost = 100_000

// unitsPerValue is what it costs to walk through one value, which has to be made for it first.
const unitsPerValue = 4

// purse pays for the work of one evaluation. When it is empty, CEL ends the evaluation.
type purse struct {
	tracker *cost.Tracker
}

// pay charges units of work, each of some 100 ns.
func (p purse) pay(units int) {
	p.tracker.EvalUnary(nil, 0, payment{}, types.Int(units), nil)
}

// take pays for texts that a function is given, and refuses those that are too long.
func (p purse) take(args ...ref.Val) *fault {
	for _, arg := range args {
		length, _ := text(arg)
		if length > maxTextTaken {
			return &fault{code: codeTextTaken}
		}

		p.pay(length / bytesPerUnit)
	}

	return nil
}

// make pays for a text of so many bytes that a function is about to make, and refuses one that is too long.
func (p purse) make(length int) *fault {
	if length > maxTextMade {
		return &fault{code: codeTextMade}
	}

	p.pay(length / bytesPerUnit)

	return nil
}

// weigh pays for walking through a value and returns its size: the bytes of its texts, and one for each value. An
// expression can make a value of few parts that stands for a tree beyond all measure, which ends here because the purse
// is empty.
func (p purse) weigh(value ref.Val, depth int) (int, *fault) {
	p.pay(unitsPerValue)

	if depth > maxDepth {
		return 0, &fault{code: codeDepth}
	}

	switch value := value.(type) {
	case *types.Optional:
		if !value.HasValue() {
			return 1, nil
		}

		return p.weigh(value.GetValue(), depth+1)
	case traits.Lister:
		return p.weighAll(value, depth, func(ref.Val) ref.Val { return nil })
	case traits.Mapper:
		return p.weighAll(value, depth, value.Get)
	default:
		length, _ := text(value)
		p.pay(length / bytesPerUnit)

		return length + 1, nil
	}
}

// weighAll weighs the elements of a list, or the keys of a map and their values.
func (p purse) weighAll(all traits.Iterable, depth int, valueOf func(key ref.Val) ref.Val) (int, *fault) {
	total := 1

	for i := all.Iterator(); i.HasNext() == types.True; {
		element := i.Next()

		weight, refusal := p.weigh(element, depth+1)
		if refusal != nil {
			return 0, refusal
		}

		total += weight

		if of := valueOf(element); of != nil {
			if weight, refusal = p.weigh(of, depth+1); refusal != nil {
				return 0, refusal
			}

			total += weight
		}
	}

	return total, nil
}

// payment is the call that stands for the work of another.
type payment struct{}

// Function returns a name that no function has.
func (payment) Function() string { return "@pay" }

// OverloadID returns nothing.
func (payment) OverloadID() string { return "" }

// prices tells CEL what a payment costs: what its argument says.
type prices struct{}

// CallCost returns nil for everything but payments.
func (prices) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	if function != (payment{}).Function() {
		return nil
	}

	units, _ := args[0].(types.Int)
	price := uint64(max(units, 0))

	return &price
}
