package resolve

import (
	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
)

// responsePart is a part of an answer and the expression that finds it.
type responsePart struct {
	name   oauth.Name
	source v1alpha1.Expression
}

func responseParts(response *v1alpha1.Response) []responsePart {
	return []responsePart{
		// A refresh token that was handed out must not be lost for what comes after it.
		{oauth.NameRefreshToken, response.RefreshToken},
		{oauth.NameRefreshTokenExpiresIn, response.RefreshTokenExpiresIn},
		{oauth.NameSucceeded, response.Succeeded},
		{oauth.NameAccessToken, response.AccessToken},
		{oauth.NameTokenType, response.TokenType},
		{oauth.NameExpiresIn, response.ExpiresIn},
		{oauth.NameExpiresAt, response.ExpiresAt},
		{oauth.NameIssuedAt, response.IssuedAt},
		{oauth.NameScope, response.Scope},
		{oauth.NameError, response.Error},
		{oauth.NameErrorDescription, response.ErrorDescription},
	}
}

// mapper reads answers by the expressions of a plan's endpoint.
type mapper struct {
	plan        *Plan
	expressions Evaluator
}

// mapper returns nil where answers are read as RFC 6749 has it.
func (p *Plan) mapper(expressions Evaluator) oauth.ResponseMapper {
	for _, at := range p.endpointExpressions() {
		if at.environment == expression.Response {
			return mapper{plan: p, expressions: expressions}
		}
	}
	return nil
}

// Map implements oauth.ResponseMapper. What can be found is found, whatever fails.
func (m mapper) Map(answer oauth.Response) (oauth.Mapping, error) {
	variables := map[string]any{"status": answer.Status, "headers": answer.Headers, "body": answer.Body}
	mapping := oauth.Mapping{Values: map[oauth.Name]any{}, Extra: map[string]any{}}
	var failed error
	evaluate := func(field string, source v1alpha1.Expression) any {
		at := expressionAt{field: "response." + field, source: source, provider: m.plan.ofProvider("").provider}
		value, err := m.expressions.Evaluate(expression.Response, m.plan.providerField(at.field), string(source), variables)
		if err != nil && failed == nil {
			failed = at.specError(err)
		}
		return value
	}
	for _, part := range responseParts(&m.plan.Endpoint.Response) {
		if part.source != "" {
			mapping.Values[part.name] = evaluate(string(part.name), part.source)
		}
	}
	for name, source := range m.plan.Endpoint.Response.Extra {
		if value := evaluate("extra."+name, source); value != nil {
			mapping.Extra[name] = value
		}
	}
	return mapping, failed
}
