package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// judge says what the operator would make of an answer.
func (c *checker) judge(
	credential *v1alpha1.OAuthCredential, plan *resolve.Plan, request oauth.Request, answer *oauth.Answer,
) error {
	life, warnings, err := lifetime.Read(answer.Claims, plan.LifetimeRules(), answer.Sent, answer.Received)
	if err != nil {
		return fmt.Errorf("%s: there is a token, but its life cannot be told: %w. See lifetime in the spec of the provider",
			v1alpha1.ReasonInvalidResponse, err)
	}
	c.printer.step("token", describe(answer, life))
	for _, warning := range warnings {
		c.printer.step("", "Note: "+string(warning))
	}
	if plan.KeepsGrant() && answer.RefreshToken.IsEmpty() {
		c.printer.step("", "Note: there is no refresh token, so that a person would have to log in again for every token: ask for "+
			"one, by a scope such as offline_access or by authorizationParameters, as the provider's documentation has it")
	}
	data, err := plan.Data(c.resolver.Expressions, answer, request.Client.ID, life.ExpiresAt)
	if err != nil {
		return err
	}
	c.printer.step("secret", fmt.Sprintf("%q would hold %s", secretstore.TargetName(credential), keys(data)))
	c.printer.verdict(works, "it works")
	return nil
}

// describe says what is known of a token.
func describe(answer *oauth.Answer, life lifetime.Token) string {
	text := fmt.Sprintf("%s, %d characters, ", answer.TokenType, utf8.RuneCountInString(answer.AccessToken.Reveal()))
	if life.ExpiresAt.IsZero() {
		text += "for how long the provider does not say: tokensync would replace it every hour, unless you set lifetime.default"
	} else {
		text += "lives " + life.Lifetime().String()
	}
	if answer.Scope != "" {
		text += ", scope " + redact.Message(answer.Scope)
	}
	if !answer.RefreshToken.IsEmpty() {
		text += ", with a refresh token"
		if at, ok := answer.RefreshTokenExpiresAt(); ok {
			text += " until " + at.Format(time.RFC3339)
		}
	}
	return text
}

// keys lists the keys of a Secret with the sizes of their values.
func keys(data map[string][]byte) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(data)) {
		list = append(list, name+" ("+cli.Count(len(data[name]), "byte", "bytes")+")")
	}
	return strings.Join(list, ", ")
}

// explain puts the reason before an error, by which the documentation knows it.
func explain(err error) error {
	var (
		spec   *resolve.SpecError
		source *resolve.SourceError
		failed *oauth.Error
	)
	switch {
	case errors.As(err, &spec):
		return fmt.Errorf("%s: %w", spec.Reason, err)
	case errors.As(err, &source):
		reason := v1alpha1.ReasonSourceSecretMissing
		if source.Problem == resolve.Forbidden {
			reason = v1alpha1.ReasonSourceSecretRefused
		}
		return fmt.Errorf("%s: %w", reason, err)
	case errors.As(err, &failed):
		return fmt.Errorf("%s: %w", resolve.Reason(failed.Kind), cli.ExplainNetwork(err))
	}
	return err
}
