package resolve

import (
	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
)

// responsePart is a part of an answer and the expression that finds it.
type responsePart struct {
	expressionAt

	name oauth.Name
}

// responseParts are the parts that are not found as RFC 6749 has it.
func (p *Plan) responseParts() []responsePart {
	response := &p.Endpoint.Response
	var parts []responsePart
	for _, part := range []struct {
		name   oauth.Name
		source v1alpha1.Expression
	}{
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
	} {
		if part.source == "" {
			continue
		}
		field := p.providerField("response." + string(part.name))
		parts = append(parts, responsePart{
			expressionAt: expressionAt{environment: expression.Response, field: field, source: part.source, provider: p.hidden()},
			name:         part.name,
		})
	}
	return parts
}

// mapper reads answers by the expressions of a plan's endpoint.
type mapper struct {
	expressions Evaluator
	parts       []responsePart
	extra       []namedExpression
}

// mapper returns nil where answers are read as RFC 6749 has it.
func (p *Plan) mapper(expressions Evaluator) oauth.ResponseMapper {
	m := mapper{expressions: expressions, parts: p.responseParts(), extra: p.extraExpressions()}
	if len(m.parts) == 0 && len(m.extra) == 0 {
		return nil
	}
	return m
}

// Map implements oauth.ResponseMapper. What can be found is found, whatever fails; the
// error is that of the first to fail.
func (m mapper) Map(answer oauth.Response) (oauth.Mapping, error) {
	variables := map[string]any{"status": answer.Status, "headers": answer.Headers, "body": answer.Body}
	mapping := oauth.Mapping{Values: map[oauth.Name]any{}, Extra: map[string]any{}}
	var failed error
	evaluate := func(at expressionAt) any {
		value, err := at.evaluate(m.expressions, variables)
		if failed == nil {
			failed = err
		}
		return value
	}
	for _, part := range m.parts {
		mapping.Values[part.name] = evaluate(part.expressionAt)
	}
	for _, extra := range m.extra {
		if value := evaluate(extra.expressionAt); value != nil {
			mapping.Extra[extra.name] = value
		}
	}
	return mapping, failed
}
