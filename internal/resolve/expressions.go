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

// specError says what is wrong with an expression, to the owner of the credential.
func (at expressionAt) specError(err error) error {
	var e *expression.Error
	switch {
	case err == nil:
		return nil
	case at.provider != "":
		return &SpecError{Reason: v1alpha1.ReasonInvalidExpression, message: "an expression of the " + at.provider +
			" cannot be evaluated: its administrator finds more in its status, or has to make it fit the answers of the endpoint"}
	case errors.As(err, &e):
		return &SpecError{Reason: v1alpha1.ReasonInvalidExpression, message: e.Error()}
	}
	return err
}

// evaluate evaluates an expression of the request.
func (b *builder) evaluate(at expressionAt, variables map[string]any) (any, error) {
	result, err := b.Expressions.Evaluate(expression.Request, at.field, string(at.source), variables)
	return result, at.specError(err)
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

// expressions are all expressions of a plan, in a stable order.
func (p *Plan) expressions() []expressionAt {
	found := p.endpointExpressions()
	spec := &p.credential.Spec
	found = append(found, additionsExpressions("spec.", spec.Request)...)
	if spec.JWTBearer != nil {
		found = append(found, namedExpressions(expression.Request, "spec.jwtBearer.claims.", spec.JWTBearer.Claims)...)
	}
	return append(found, namedExpressions(expression.Data, "spec.secret.data.", spec.Secret.Data)...)
}

// endpointExpressions are those of the provider.
func (p *Plan) endpointExpressions() []expressionAt {
	prefix := p.providerField("")
	if p.Provider != nil && !p.bare {
		prefix = p.Provider.String() + ": spec."
	}
	found := additionsExpressions(prefix, p.Endpoint.Request.RequestAdditions)
	for _, part := range responseParts(&p.Endpoint.Response) {
		if part.source != "" {
			found = append(found, expressionAt{environment: expression.Response, field: prefix + "response." + string(part.name), source: part.source})
		}
	}
	found = append(found, namedExpressions(expression.Response, prefix+"response.extra.", p.Endpoint.Response.Extra)...)
	for i := range found {
		found[i].provider = p.ofProvider("").provider
	}
	return found
}

func additionsExpressions(prefix string, additions v1alpha1.RequestAdditions) []expressionAt {
	var found []expressionAt
	add := func(list, name string, source v1alpha1.Expression) {
		if source != "" {
			found = append(found, expressionAt{
				environment: expression.Request, field: prefix + "request." + list + "[" + name + "].expression", source: source,
			})
		}
	}
	for _, header := range additions.Headers {
		add("headers", header.Name, header.Expression)
	}
	for _, parameter := range additions.Parameters {
		add("parameters", parameter.Name, parameter.Expression)
	}
	return found
}

func namedExpressions(environment expression.Environment, prefix string, sources map[string]v1alpha1.Expression) []expressionAt {
	found := make([]expressionAt, 0, len(sources))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		found = append(found, expressionAt{environment: environment, field: prefix + name, source: sources[name]})
	}
	return found
}
