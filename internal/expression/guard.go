package expression

import (
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// guard looks at the arguments of a function before it works: it refuses what would be too large and pays for the rest.
type guard func(p purse, args []ref.Val) *fault

// free charges nothing beyond the call itself: the function does one step, or pays on its own.
func free(purse, []ref.Val) *fault {
	return nil
}

// plain is for functions whose work is in proportion to the texts they are given.
func plain(p purse, args []ref.Val) *fault {
	return p.take(args...)
}

// counting is for size(), which has to look at each character of a text.
func counting(p purse, args []ref.Val) *fault {
	if length, ok := text(args[0]); ok {
		p.pay(length / bytesPerUnit)
	}

	return nil
}

// addition is for texts, lists and numbers.
func addition(p purse, args []ref.Val) *fault {
	if left, ok := text(args[0]); ok {
		right, _ := text(args[1])

		return p.make(left + right)
	}

	left, leftOK := args[0].(traits.Lister)
	right, rightOK := args[1].(traits.Lister)

	if !leftOK || !rightOK {
		return nil
	}

	added := count(right)
	if _, accumulates := left.(traits.MutableLister); !accumulates {
		added += count(left)
	}

	p.pay(added / elementsPerUnit)

	if count(left)+count(right) > maxElements {
		return &fault{code: codeElements}
	}

	return nil
}

// comparison is for functions that walk through whole values.
func comparison(p purse, args []ref.Val) *fault {
	for _, arg := range args {
		if _, refusal := p.weigh(arg, 0); refusal != nil {
			return refusal
		}
	}

	return nil
}

// writing is for toJSON(), which makes two copies of a value.
func writing(p purse, args []ref.Val) *fault {
	total, refusal := p.weigh(args[0], 0)
	if refusal != nil {
		return refusal
	}

	p.pay(2 * total / bytesPerUnit)

	return nil
}

// membership is for `in`, which compares with every element of a list and looks up a key of a map.
func membership(p purse, args []ref.Val) *fault {
	if _, ok := args[1].(traits.Mapper); ok {
		args = args[:1]
	}

	return comparison(p, args)
}

// match is for matches(). The work is in proportion to the text and to the states of the pattern.
func match(p purse, args []ref.Val) *fault {
	pattern, ok := args[1].(types.String)
	if !ok {
		return &fault{code: codeMismatch}
	}

	size, ok := states(string(pattern))
	if !ok {
		return &fault{code: codePattern}
	}

	length, _ := text(args[0])
	if length > maxTextTaken {
		return &fault{code: codeTextTaken}
	}

	p.pay(size * (1 + length/statesPerUnit))

	return nil
}

// search is for indexOf() and lastIndexOf(), which compare at every position.
func search(p purse, args []ref.Val) *fault {
	if refusal := p.take(args...); refusal != nil {
		return refusal
	}

	long, _ := text(args[0])
	short, _ := text(args[1])
	p.pay(long * short / stepsPerUnit)

	return nil
}

// replacement is for replace(), whose result can be far longer than all of its arguments.
func replacement(p purse, args []ref.Val) *fault {
	if refusal := p.take(args...); refusal != nil {
		return refusal
	}

	where, _ := args[0].(types.String)
	from, _ := args[1].(types.String)
	to, _ := args[2].(types.String)

	return p.make(len(where) + occurrences(where, from, args[3:])*max(len(to)-len(from), 0))
}

// partition is for split(), which may make a list of all characters.
func partition(p purse, args []ref.Val) *fault {
	if refusal := p.take(args...); refusal != nil {
		return refusal
	}

	where, _ := args[0].(types.String)
	separator, _ := args[1].(types.String)
	parts := occurrences(where, separator, args[2:])

	p.pay(parts / elementsPerUnit)

	if parts >= maxElements {
		return &fault{code: codeElements}
	}

	return nil
}

// occurrences counts what replace() and split() look for, up to the limit that may follow it.
func occurrences(where, what types.String, limit []ref.Val) int {
	found := strings.Count(string(where), string(what))

	if len(limit) > 0 {
		if n, ok := limit[0].(types.Int); ok && n >= 0 {
			found = min(found, int(n))
		}
	}

	return found
}

// junction is for join().
func junction(p purse, args []ref.Val) *fault {
	total, refusal := p.weigh(args[0], 0)
	if refusal != nil {
		return refusal
	}

	if elements, ok := args[0].(traits.Lister); ok && len(args) > 1 {
		separator, _ := text(args[1])
		total += separator * count(elements)
	}

	return p.make(total)
}

// formatted is for format(). No clause can make more of a value than twice its texts, nor more of a number than its
// digits, of which a double may have 309 before the point and 100 after it.
func formatted(p purse, args []ref.Val) *fault {
	const widest = 512

	template, _ := text(args[0])
	if template > maxTextTaken {
		return &fault{code: codeTextTaken}
	}

	total, refusal := p.weigh(args[1], 0)
	if refusal != nil {
		return refusal
	}

	// A value costs at least one unit to weigh, and weigh counts it as one byte.
	if elements, ok := args[1].(traits.Lister); ok {
		total += widest * count(elements)
	}

	return p.make(template + 4*total)
}

// text returns the length of a text or of bytes, in bytes.
func text(value ref.Val) (int, bool) {
	switch value := value.(type) {
	case types.String:
		return len(value), true
	case types.Bytes:
		return len(value), true
	default:
		return 0, false
	}
}

// count returns the number of elements of a list.
func count(l traits.Lister) int {
	size, _ := l.Size().(types.Int)

	return int(size)
}
