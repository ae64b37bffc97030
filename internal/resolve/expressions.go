package resolve

import (
	"errors"
	"maps"
	"slices"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
)

// Evaluator compiles and evaluates expressions. Every error is an *expression.Error.
type Evaluator interface {
	Check(environment expression.Environment, field, source string) error
	Evaluate(environment expression.Environment, field, source string, variables map[string]any) (any, error)
}

// expressionAt is an expression and where it stands.
type expressionAt struct {
	environment expression.Environment
	field       string
	source      v1alpha1.Expression
	// provider is set where the credential's owner may not see the expression.
	provider string
}

// namedExpression is one of a map of expressions.
type namedExpression struct {
	expressionAt

	name string
}

// specError says what is wrong with an expression, to the owner of the credential.
func (at expressionAt) specError(err error) error {
	var e *expression.Error
	switch {
	case err == nil:
		return nil
	case at.provider != "":
		return NewSpecError(v1alpha1.ReasonInvalidExpression, "an expression of the "+at.provider+
			" cannot be evaluated: its administrator finds more in its status, or has to make it fit the answers of the endpoint")
	case errors.As(err, &e):
		return NewSpecError(v1alpha1.ReasonInvalidExpression, e.Error())
	}
	return err
}

// evaluate evaluates an expression. An error is a *SpecError.
func (at expressionAt) evaluate(expressions Evaluator, variables map[string]any) (any, error) {
	value, err := expressions.Evaluate(at.environment, at.field, string(at.source), variables)
	return value, at.specError(err)
}

// text evaluates an expression where only text can stand. An error is a *SpecError.
func (at expressionAt) text(expressions Evaluator, variables map[string]any) (string, error) {
	value, err := at.evaluate(expressions, variables)
	if err != nil {
		return "", err
	}
	text, err := expression.Text(at.field, string(at.source), value)
	return text, at.specError(err)
}

// Check compiles all expressions, so that no token is asked for that could not be
// used. An error is a *SpecError.
func (p *Plan) Check(expressions Evaluator) error {
	for _, at := range p.expressions() {
		if err := expressions.Check(at.environment, at.field, string(at.source)); err != nil {
			return at.specError(err)
		}
	}
	return nil
}

// expressions are all expressions of a plan that are evaluated, in a stable order.
func (p *Plan) expressions() []expressionAt {
	var found []expressionAt
	for _, declared := range slices.Concat(p.headers(), p.parameters()) {
		if declared.Expression == "" {
			continue
		}
		found = append(found, declared.expression)
	}
	for _, part := range p.responseParts() {
		found = append(found, part.expressionAt)
	}
	named := p.extraExpressions()
	if grant := p.credential.Spec.JWTBearer; grant != nil {
		named = append(named, claimExpressions(grant)...)
	}
	for _, at := range append(named, p.dataExpressions()...) {
		found = append(found, at.expressionAt)
	}
	return found
}

// extraExpressions are those that find further values in an answer, where there is anyone
// to see them: no token is refused for a value that nobody wants.
func (p *Plan) extraExpressions() []namedExpression {
	if !p.wantsExtra() && !p.bare {
		return nil
	}
	return namedExpressions(p.Endpoint.Response.Extra, func(name string) expressionAt {
		return expressionAt{environment: expression.Response, field: p.providerField("response.extra." + name), provider: p.hidden()}
	})
}

// claimExpressions are those that make claims of the assertion of the grant.
func claimExpressions(grant *v1alpha1.JWTBearer) []namedExpression {
	return namedExpressions(grant.Claims, func(name string) expressionAt {
		return expressionAt{environment: expression.Request, field: "spec.jwtBearer.claims." + name}
	})
}

// dataExpressions are those that make the keys of the Secret.
func (p *Plan) dataExpressions() []namedExpression {
	return namedExpressions(p.credential.Spec.Secret.Data, func(key string) expressionAt {
		return expressionAt{environment: expression.Data, field: "spec.secret.data." + key}
	})
}

// namedExpressions are expressions in the order of their names, so that the first to
// fail is always the same.
func namedExpressions(sources map[string]v1alpha1.Expression, at func(name string) expressionAt) []namedExpression {
	found := make([]namedExpression, 0, len(sources))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		named := namedExpression{expressionAt: at(name), name: name}
		named.source = sources[name]
		found = append(found, named)
	}
	return found
}
