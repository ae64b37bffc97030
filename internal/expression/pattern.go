package expression

import (
	"regexp/syntax"
	"unicode/utf8"
)

const (
	// maxPattern is the most characters of a regular expression.
	maxPattern = 128
	// maxStates is about the most states that a regular expression may have. Those that people write have fewer than a
	// hundred; counted repeats multiply.
	maxStates = 1000

	patternProblem = "invalid, longer than 128 characters, or repeats too much"
)

// states estimates from above how many states a regular expression compiles to. It answers false for one that is
// invalid or too large.
func states(pattern string) (int, bool) {
	if utf8.RuneCountInString(pattern) > maxPattern {
		return 0, false
	}

	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, false
	}

	count := estimate(parsed)

	return count, count <= maxStates
}

// estimate stops to grow once it is beyond maxStates, so that it cannot overflow.
func estimate(re *syntax.Regexp) int {
	count := 1 + len(re.Rune)
	if re.Op == syntax.OpCharClass {
		count = 1
	}

	for _, sub := range re.Sub {
		count = min(count+estimate(sub), maxStates+1)
	}

	if re.Op == syntax.OpRepeat {
		count = min((count+1)*max(re.Min, re.Max, 1), maxStates+1)
	}

	return count + 1
}
