package expression

import (
	"fmt"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/redact"
)

// maxQuote is the most characters of an expression that a message shows.
const maxQuote = 60

// Error is an expression that cannot be compiled, or not be evaluated with the values that there are. Its text is the
// same for the same expression and kind of failure, and holds no value of a variable.
type Error struct {
	// Field is where the expression stands, such as `response.expiresAt`.
	Field string
	// Source is the whole expression.
	Source string
	// Problem says what is wrong and what to change.
	Problem string
}

// Error returns one line of at most 256 characters.
func (e *Error) Error() string {
	return redact.Message(fmt.Sprintf("%s: %s, in the expression %s", e.Field, e.Problem, shorten(e.Source)))
}

// shorten makes text fit into a sentence.
func shorten(text string) string {
	if len(text) > 4*maxQuote { // Message drops what lies beyond and need not read it.
		text = text[:4*maxQuote]
	}

	text = redact.Message(text)
	if utf8.RuneCountInString(text) <= maxQuote {
		return text
	}

	return string([]rune(text)[:maxQuote-1]) + "…"
}

// code is why an expression could not be evaluated.
type code int

// The codes of a fault.
const (
	// codeMismatch: a function does not take the values, by their type or otherwise.
	codeMismatch code = iota
	// codeAbsent: a path leads nowhere.
	codeAbsent
	// codeCondition: what should be true or false is neither.
	codeCondition
	// codeChoice: what has an alternative is not optional.
	codeChoice
	// codeRange: what should be a list or a map is neither.
	codeRange
	// codeTextTaken: a function was given a text that is too long.
	codeTextTaken
	// codeTextMade: a function would make a text that is too long.
	codeTextMade
	// codeElements: a function would make a list that is too long.
	codeElements
	// codeDepth: a value is nested too deeply.
	codeDepth
	// codePattern: a regular expression is invalid or too large.
	codePattern
)

// fault is the error of one node of an expression. Like all errors of CEL it travels as a value.
type fault struct {
	code code
	// node is the identifier of the node, 0 where name says it.
	node int64
	name string
}

// Error returns the problem without the part of the expression that has it.
func (f *fault) Error() string {
	return f.problem("")
}

// problem returns what is wrong with a part of the expression, which may be unknown.
func (f *fault) problem(part string) string {
	if part == "" {
		part = "a part"
	}

	switch f.code {
	case codeAbsent:
		return part + " is absent; test with has(), or give a default with .? and orValue()"
	case codeCondition:
		return part + " is a condition and neither true nor false"
	case codeChoice:
		return part + " is not optional; write .? before the last field"
	case codeRange:
		return part + " is neither a list nor a map"
	case codeTextTaken:
		return fmt.Sprintf("%s is given a text of more than %d KiB", part, maxTextTaken>>10)
	case codeTextMade:
		return fmt.Sprintf("%s gives a text of more than %d KiB", part, maxTextMade>>10)
	case codeElements:
		return fmt.Sprintf("%s gives a list of more than %d elements", part, maxElements)
	case codeDepth:
		return fmt.Sprintf("%s is given a value that is nested more than %d levels deep", part, maxDepth)
	case codePattern:
		return part + " has a regular expression that is " + patternProblem
	case codeMismatch:
		return part + " does not work with the values that there are"
	default:
		return part + " cannot be evaluated"
	}
}
