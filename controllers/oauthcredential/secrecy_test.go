package oauthcredential

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// TestNothingSecretIsPrinted: whoever logs what a request is made of, by accident or in a
// panic, shows no token.
func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const canary = "c4nary"
	secret := redact.New(canary)
	token := grant.Token{Answer: &oauth.Answer{
		AccessToken: secret, RefreshToken: secret, Raw: map[string]any{"x": canary}, Extra: map[string]any{"y": canary},
	}}
	record := grant.Record{
		Chain:     &grant.Chain{RefreshToken: secret, Token: &token},
		Candidate: &grant.Candidate{RefreshToken: secret},
		Login:     &grant.Login{Code: secret, Verifier: secret, RefreshToken: secret, Token: &token},
		Device:    &grant.Device{DeviceCode: secret},
	}
	step := grant.Step{Value: secret}
	k := kept{record: &record, bootstrap: secret}
	published := secretstore.Token{Data: render.Data{"access_token": []byte(canary)}}
	if text := fmt.Sprintf("%+v %#v", published, published); strings.Contains(text, canary) || strings.Contains(text, "99 52 110 97 114 121") {
		t.Errorf("what is published: %s", text)
	}
	s := spending{kept: &k, step: step}
	for name, value := range map[string]any{
		"outcome": outcome{Outcome: issuance.Outcome{Token: &published}}, "exchange": exchange{spending: &s}, "spending": s, "kept": k,
		"record": record, "chain": *record.Chain, "candidate": *record.Candidate, "login": *record.Login, "device": *record.Device,
		"answer": token, "taken": grant.Taken{RefreshToken: secret, Token: &token}, "step": step,
	} {
		printed := []string{fmt.Sprintf("%v", value), fmt.Sprintf("%+v", value), fmt.Sprintf("%#v", value)}
		if encoded, err := json.Marshal(value); err == nil {
			printed = append(printed, string(encoded))
		}
		var logged strings.Builder
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("a message", "value", value)
		for _, text := range append(printed, logged.String()) {
			if strings.Contains(text, canary) || strings.Contains(text, "99 52 110 97 114 121") || strings.Contains(text, "YzRuYXJ5") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}
