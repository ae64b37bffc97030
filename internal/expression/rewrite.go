package expression

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// rewriter changes an expression in two steps. Nodes keep their identifiers, so that an error can still say where it
// happened.
//
// Before the check, what comprehensions go over gets the type dyn. The check of CEL takes a time that grows with more
// than the square of how deep types are nested, and each comprehension can add a level.
//
// After it, the access to fields and elements and conditions become calls of this package.
type rewriter struct {
	tree    *ast.AST
	factory ast.ExprFactory
	last    int64
	problem string
}

func newRewriter(tree *ast.AST) *rewriter {
	return &rewriter{tree: tree, factory: ast.NewExprFactory(), last: ast.MaxID(tree)}
}

// flatten changes a parsed expression in place, before the check.
func flatten(tree *ast.AST) {
	r := newRewriter(tree)
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			r.comprehension(e)
		}
	}))
}

// rewrite changes a checked expression in place. It returns what is wrong with an expression that may not be used
// though it is correct, else an empty text.
func rewrite(tree *ast.AST) string {
	r := newRewriter(tree)
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(r.visit))

	return r.problem
}

func (r *rewriter) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.SelectKind:
		r.selection(e)
	case ast.CallKind:
		r.call(e)
	case ast.StructKind:
		r.problem = "it makes a message of protocol buffers; use a map"
	case ast.UnspecifiedExprKind, ast.ComprehensionKind, ast.IdentKind, ast.ListKind, ast.LiteralKind, ast.MapKind:
	}
}

// selection rewrites `a.b` and `has(a.b)`. What is a variable with a dot in its name stays.
func (r *rewriter) selection(e ast.Expr) {
	if _, variable := r.tree.ReferenceMap()[e.ID()]; variable {
		return
	}

	selected := e.AsSelect()
	field := r.factory.NewLiteral(r.id(), types.String(selected.FieldName()))

	if !selected.IsTestOnly() {
		r.replace(e, callGet, selected.Operand(), field)

		return
	}

	r.tolerate(selected.Operand())
	r.replace(e, callHas, selected.Operand(), field)
}

// tolerate makes the path inside of has() one that may be absent anywhere.
func (r *rewriter) tolerate(e ast.Expr) {
	for e.Kind() == ast.CallKind && e.AsCall().FunctionName() == callGet {
		args := e.AsCall().Args()
		r.replace(e, callFind, args...)
		e = args[0]
	}
}

func (r *rewriter) call(e ast.Expr) {
	call := e.AsCall()
	args := call.Args()

	switch call.FunctionName() {
	case operators.Index:
		r.replace(e, callGet, args...)
	case operators.OptIndex, operators.OptSelect:
		r.replace(e, callOptional, args...)
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
		conditions := make([]ast.Expr, len(args))
		for i, arg := range args {
			conditions[i] = r.wrap(callTruth, arg)
		}

		e.SetKindCase(r.factory.NewCall(e.ID(), call.FunctionName(), conditions...))
	case operators.Conditional:
		e.SetKindCase(r.factory.NewCall(e.ID(), operators.Conditional, r.wrap(callTruth, args[0]), args[1], args[2]))
	case "or", "orValue":
		target := r.wrap(callChoice, call.Target())
		e.SetKindCase(r.factory.NewMemberCall(e.ID(), call.FunctionName(), target, args...))
	case overloads.Matches:
		r.matches(args)
	}
}

// matches refuses a constant pattern early. The others are looked at when they are known.
func (r *rewriter) matches(args []ast.Expr) {
	pattern := args[len(args)-1]
	if pattern.Kind() != ast.LiteralKind {
		return
	}

	if text, ok := pattern.AsLiteral().(types.String); ok {
		if _, ok := states(string(text)); !ok {
			r.problem = "the regular expression of matches() is " + patternProblem
		}
	}
}

// comprehension hides the type of what a macro goes over, or in the case of optMap() of what it gives a name.
func (r *rewriter) comprehension(e ast.Expr) {
	c := e.AsComprehension()
	over, start := c.IterRange(), c.AccuInit()

	if over.Kind() == ast.ListKind && over.AsList().Size() == 0 {
		start = r.wrap(overloads.TypeConvertDyn, start)
	} else {
		over = r.wrap(callRange, over)
	}

	e.SetKindCase(r.factory.NewComprehensionTwoVar(e.ID(), over, c.IterVar(), c.IterVar2(),
		c.AccuVar(), start, c.LoopCondition(), c.LoopStep(), c.Result()))
}

// replace makes a call of a node. The reference, which the check found for what it was before, is dropped.
func (r *rewriter) replace(e ast.Expr, function string, args ...ast.Expr) {
	delete(r.tree.ReferenceMap(), e.ID())
	e.SetKindCase(r.factory.NewCall(e.ID(), function, args...))
}

// wrap puts a call around a node.
func (r *rewriter) wrap(function string, arg ast.Expr) ast.Expr {
	return r.factory.NewCall(r.id(), function, arg)
}

func (r *rewriter) id() int64 {
	r.last++

	return r.last
}
