package expression

import (
	"strings"

	"cel.dev/cel-go/common/ast"
)

// maxNesting bounds how deep lists, maps, macros and the arguments of functions lie within each other. Operators and
// chains of methods do not count.
const maxNesting = 32

// nested tells whether a part of an expression, which lies at a depth, goes deeper than it may.
func nested(e ast.Expr, depth int) bool {
	if depth > maxNesting {
		return true
	}

	switch e.Kind() {
	case ast.SelectKind:
		return nested(e.AsSelect().Operand(), depth)
	case ast.CallKind:
		return nestedCall(e.AsCall(), depth)
	case ast.ListKind:
		return anyNested(e.AsList().Elements(), depth+1)
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			if anyNested([]ast.Expr{entry.AsMapEntry().Key(), entry.AsMapEntry().Value()}, depth+1) {
				return true
			}
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()

		return anyNested([]ast.Expr{c.IterRange(), c.AccuInit()}, depth) ||
			anyNested([]ast.Expr{c.LoopCondition(), c.LoopStep(), c.Result()}, depth+1)
	case ast.StructKind: // which nobody may use
	case ast.UnspecifiedExprKind, ast.IdentKind, ast.LiteralKind:
	}

	return false
}

// nestedCall looks into the arguments of a call. The names of operators are no words.
func nestedCall(call ast.CallExpr, depth int) bool {
	if call.IsMemberFunction() && nested(call.Target(), depth) {
		return true
	}

	if operator := strings.ContainsAny(call.FunctionName(), "_@!-"); operator {
		return anyNested(call.Args(), depth)
	}

	return anyNested(call.Args(), depth+1)
}

func anyNested(parts []ast.Expr, depth int) bool {
	for _, part := range parts {
		if nested(part, depth) {
			return true
		}
	}

	return false
}
