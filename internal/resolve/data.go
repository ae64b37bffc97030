package resolve

import (
	"maps"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/render"
)

// Data renders what the Secret is to hold of an answer: the default keys, or what the
// expressions of the spec make. clientID is that of the request; expiresAt is zero
// where the token's life is unknown. An error is a *SpecError.
func (p *Plan) Data(expressions Evaluator, answer *oauth.Answer, clientID string, expiresAt time.Time) (render.Data, error) {
	token := render.Token{AccessToken: answer.AccessToken, Type: answer.TokenType, Scope: answer.Scope, ExpiresAt: expiresAt}
	declared := p.dataExpressions()
	if len(declared) == 0 {
		return render.Default(token), nil
	}
	variables := map[string]any{
		"token":      p.tokenVariable(answer, token),
		"client":     map[string]any{"id": clientID},
		"credential": map[string]any{"name": p.credential.Name, "namespace": p.credential.Namespace},
	}
	data := render.Data{}
	for _, key := range declared {
		text, err := key.text(expressions, variables)
		if err != nil {
			return nil, err
		}
		data[key.name] = []byte(text)
	}
	return data, nil
}

// wantsExtra tells whether there are expressions that see what else the provider finds in
// an answer.
func (p *Plan) wantsExtra() bool { return len(p.credential.Spec.Secret.Data) > 0 }

// wantsRaw tells whether they see the answer itself, too: not where the provider holds a
// secret, which the answer might echo.
func (p *Plan) wantsRaw() bool { return p.wantsExtra() && !p.HoldsSecret }

// tokenVariable is the token as expressions see it.
func (p *Plan) tokenVariable(answer *oauth.Answer, token render.Token) map[string]any {
	variable := maps.Clone(answer.Extra)
	if variable == nil {
		variable = map[string]any{}
	}
	for key, value := range render.Default(token) {
		variable[key] = string(value)
	}
	if answer.Raw != nil && p.wantsRaw() {
		variable["raw"] = answer.Raw
	}
	return variable
}
