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

	at         place
	expression expressionAt
}

// headers are the provider's headers and those of the credential, which replace the
// provider's of the same name, whatever its case.
func (p *Plan) headers() []entry {
	var entries []entry
	for _, h := range p.Endpoint.Request.Headers {
		entries = append(entries, p.newEntry(v1alpha1.Parameter(h), "headers", p.ofProvider))
	}
	for _, h := range p.credential.Spec.Request.Headers {
		entries = append(entries, p.newEntry(v1alpha1.Parameter(h), "headers", p.own))
	}
	return merge(entries, func(e entry) string { return strings.ToLower(e.Name) })
}

// parameters does for parameters what headers does for headers, but by exact names.
func (p *Plan) parameters() []entry {
	var entries []entry
	for _, parameter := range p.Endpoint.Request.Parameters {
		entries = append(entries, p.newEntry(parameter, "parameters", p.ofProvider))
	}
	for _, parameter := range p.credential.Spec.Request.Parameters {
		entries = append(entries, p.newEntry(parameter, "parameters", p.own))
	}
	return merge(entries, func(e entry) string { return e.Name })
}

func (p *Plan) newEntry(declared v1alpha1.Parameter, list string, placed func(field string) place) entry {
	field := "request." + list + "[" + redact.Message(declared.Name) + "]"
	at := placed(field + ".expression")
	environment := expression.Request
	if p.KeepsGrant() || p.bare { // Without a credential it may be there for that grant.
		environment = expression.RequestRefresh
	}
	return entry{
		Parameter: declared,
		at:        placed(field),
		expression: expressionAt{
			environment: environment, field: at.field, source: declared.Expression, provider: at.provider,
		},
	}
}

// merge answers the entries, where one that comes later replaces the one of the same
// key, whole and in its place.
func merge(entries []entry, key func(entry) string) []entry {
	merged := make([]entry, 0, len(entries))
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

// fields resolves entries.
func (b *builder) fields(ctx context.Context, entries []entry, clientID string) ([]oauth.Field, error) {
	var fields []oauth.Field
	for _, declared := range entries {
		field, err := b.field(ctx, declared, clientID)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
	}
	return fields, nil
}

func (b *builder) field(ctx context.Context, declared entry, clientID string) (oauth.Field, error) {
	field := oauth.Field{Name: declared.Name}
	var value *redact.String
	switch {
	case declared.Value != nil:
		value = new(redact.New(*declared.Value))
	case declared.ValueFrom != nil:
		secret, err := b.objects.key(ctx, &declared.ValueFrom.SecretKeyRef, declared.at)
		if err != nil {
			return field, err
		}
		value, field.Origin = &secret, secret
	}
	switch {
	case declared.Expression != "":
		text, err := declared.expression.text(b.Expressions, b.variables(clientID, value))
		field.Value = redact.New(text)
		return field, err
	case value != nil:
		field.Value = *value
	}
	field.Public = declared.ValueFrom == nil && declared.at.provider == ""
	return field, nil
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
	if b.plan.KeepsGrant() {
		seen["refresh_token"] = b.grant.RefreshToken.Reveal()
	}
	if value != nil {
		seen["value"] = value.Reveal()
	}
	return seen
}
