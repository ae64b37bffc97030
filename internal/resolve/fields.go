package resolve

import (
	"context"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// entry is a header or a parameter, and where it was declared.
type entry struct {
	v1alpha1.Parameter

	at place
}

// headers resolves the provider's headers and those of the credential, which replace
// the provider's of the same name, whatever its case.
func (b *builder) headers(ctx context.Context, clientID string) ([]oauth.Field, error) {
	return b.fields(ctx, b.plan.headers(), strings.ToLower, clientID)
}

// parameters does for parameters what headers does for headers.
func (b *builder) parameters(ctx context.Context, clientID string) ([]oauth.Field, error) {
	return b.fields(ctx, b.plan.parameters(), func(name string) string { return name }, clientID)
}

func (p *Plan) headers() []entry {
	var entries []entry
	for _, h := range p.Endpoint.Request.Headers {
		entries = append(entries, entry{v1alpha1.Parameter(h), p.ofProvider("request.headers[" + h.Name + "]")})
	}
	for _, h := range p.credential.Spec.Request.Headers {
		entries = append(entries, entry{v1alpha1.Parameter(h), p.own("request.headers[" + h.Name + "]")})
	}
	return entries
}

func (p *Plan) parameters() []entry {
	var entries []entry
	for _, parameter := range p.Endpoint.Request.Parameters {
		entries = append(entries, entry{parameter, p.ofProvider("request.parameters[" + redact.Message(parameter.Name) + "]")})
	}
	for _, parameter := range p.credential.Spec.Request.Parameters {
		entries = append(entries, entry{parameter, p.own("request.parameters[" + redact.Message(parameter.Name) + "]")})
	}
	return entries
}

// fields resolves entries: one that comes later replaces the one of the same key,
// whole and in its place.
func (b *builder) fields(ctx context.Context, entries []entry, key func(string) string, clientID string) ([]oauth.Field, error) {
	var fields []oauth.Field
	for _, declared := range merge(entries, func(e entry) string { return key(e.Name) }) {
		value, err := b.value(ctx, declared, clientID)
		if err != nil {
			return nil, err
		}
		fields = append(fields, oauth.Field{Name: declared.Name, Value: value})
	}
	return fields, nil
}

func (b *builder) value(ctx context.Context, declared entry, clientID string) (redact.String, error) {
	var value *redact.String
	switch {
	case declared.Value != nil:
		value = new(redact.New(*declared.Value))
	case declared.ValueFrom != nil:
		secret, err := b.objects.key(ctx, &declared.ValueFrom.SecretKeyRef, declared.at)
		if err != nil {
			return redact.String{}, err
		}
		value = &secret
	}
	if declared.Expression == "" {
		if value == nil {
			return redact.String{}, nil
		}
		return *value, nil
	}
	at := expressionAt{field: declared.at.field + ".expression", source: declared.Expression, provider: declared.at.provider}
	result, err := b.evaluate(at, b.variables(clientID, value))
	if err != nil {
		return redact.String{}, err
	}
	text, err := expression.Text(at.field, string(at.source), result)
	return redact.New(text), at.specError(err)
}

// variables are what expressions of a request see.
func (b *builder) variables(clientID string, value *redact.String) map[string]any {
	variables := map[string]any{}
	for name, value := range b.plan.variables() {
		variables[name] = string(value)
	}
	seen := map[string]any{
		"client":    map[string]any{"id": clientID},
		"variables": variables,
		"now":       b.Now(),
	}
	if value != nil {
		seen["value"] = value.Reveal()
	}
	return seen
}

// merge answers the entries, with each that has the key of one before it in its place.
func merge[T any](entries []T, key func(T) string) []T {
	merged := make([]T, 0, len(entries))
	position := map[string]int{}
	for _, entry := range entries {
		if at, ok := position[key(entry)]; ok {
			merged[at] = entry
			continue
		}
		position[key(entry)] = len(merged)
		merged = append(merged, entry)
	}
	return merged
}
