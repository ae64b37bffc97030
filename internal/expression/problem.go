package expression

import (
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/parser"

	"github.com/tokensync/tokensync/internal/redact"
)

// syntaxProblem says where an expression stops to be one. What CEL says lists all that it expected instead.
func syntaxProblem(failures []*cel.Error) string {
	if len(failures) == 0 {
		return "it is not valid CEL"
	}

	first := failures[0]
	if !strings.HasPrefix(first.Message, "Syntax error") { // such as a macro with a wrong argument
		return shortenMessage(first.Message) + position(first)
	}

	return "it is not valid CEL" + position(first) + "; text must stand in quotes, such as '\"text\"'"
}

// checkProblem says which name is unknown, or which values do not go together.
func (l *language) checkProblem(parsed *cel.Ast, failures []*cel.Error) string {
	if len(failures) == 0 {
		return "it is not valid CEL"
	}

	first := failures[0]

	switch e := node(parsed, first.ExprID); {
	case e == nil:
	case e.Kind() == ast.IdentKind:
		return l.unknown(e.AsIdent())
	case e.Kind() == ast.CallKind && !l.env.HasFunction(e.AsCall().FunctionName()):
		return "there is no function " + shorten(e.AsCall().FunctionName()) + "()"
	}

	return shortenMessage(first.Message) + position(first)
}

// unknown tells what to do about a word that is no variable.
func (l *language) unknown(word string) string {
	if word == nameRefreshToken {
		return "refresh_token exists only in requests under the refresh_token grant"
	}

	for _, name := range l.names {
		if strings.HasPrefix(name, word+".") {
			return fmt.Sprintf("%s has no such field; there are: %s", word, strings.Join(l.names, ", "))
		}
	}

	return fmt.Sprintf("%s is not a variable (%s); quote it if it is text: '%s'",
		shorten(word), strings.Join(l.names, ", "), strconv.Quote(shorten(word)))
}

// position returns where in the expression a failure is, from 1.
func position(failure *cel.Error) string {
	if failure.Location == nil || failure.Location.Line() < 1 {
		return ""
	}

	at := fmt.Sprintf(" at character %d", failure.Location.Column()+1)
	if failure.Location.Line() > 1 {
		at += fmt.Sprintf(" of line %d", failure.Location.Line())
	}

	return at
}

// shortenMessage leaves room for the rest of an error. CEL makes these texts of the expression and of types.
func shortenMessage(message string) string {
	const most = 120

	if folded := []rune(redact.Message(message)); len(folded) > most {
		return string(folded[:most-1]) + "…"
	}

	return redact.Message(message)
}

// part returns a part of an expression as it was written, or nothing. Errors are rare, so it is parsed again.
func (l *language) part(source string, id int64) string {
	parsed, issues := l.env.Parse(source)
	if issues.Err() != nil {
		return ""
	}

	e := node(parsed, id)
	if e == nil {
		return ""
	}

	written, err := parser.Unparse(e, parsed.NativeRep().SourceInfo())
	if err != nil || strings.Contains(written, "@") {
		return ""
	}

	return shorten(written)
}

// node finds a node, or returns nil.
func node(parsed *cel.Ast, id int64) ast.Expr {
	var found ast.Expr

	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id {
			found = e
		}
	}))

	return found
}
