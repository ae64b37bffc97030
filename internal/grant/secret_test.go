package grant_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
)

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	token := accessToken(secret, base)
	token.Answer.Raw = map[string]any{"access_token": secret}
	token.Answer.Extra = map[string]any{"again": secret}
	r := grant.NewRecord(cluster, credential)
	step := grant.Step{Action: grant.Send, Kind: grant.Try, Value: redact.New(secret)}
	begin(t, r, grant.Step{Kind: grant.Refresh, Value: redact.New(secret)}, "id", base)
	begin(t, r, step, "id", base)
	r.Chain.Token = token
	r.Login = codeOf(tokensOf(loginWith("l"), secret), secret)
	r.Login.Verifier, r.Login.Token = redact.New(secret), token
	r.Device = &grant.Device{DeviceCode: redact.New(secret)}
	v := viewOf(r)
	v.Bootstrap = redact.New(secret)
	taken := grant.Taken{RefreshToken: redact.New(secret), Token: token}
	for name, value := range map[string]any{
		"record": *r, "chain": *r.Chain, "candidate": *r.Candidate, "attempt": *r.Attempt, "login": *r.Login, "device": *r.Device,
		"view": v, "step": step, "taken": taken, "token": *token,
		"a pointer to the record": r, "a pointer to the chain": r.Chain, "a pointer to the login": r.Login,
		"a pointer to the device": r.Device, "a pointer to the view": &v, "a pointer to the token": token,
		"what holds them": struct {
			Record *grant.Record
			token  *grant.Token
			taken  []grant.Taken
		}{r, token, []grant.Taken{taken}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if text := fmt.Sprintf(verb, value); told(text, secret) {
				t.Errorf("%s of %s: %s", verb, name, text)
			}
		}
		encoded, err := json.Marshal(value)
		if err != nil || told(string(encoded), secret) {
			t.Errorf("JSON of %s: %s, %v", name, encoded, err)
		}
		var log bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(handler).Info("a record", "value", value)
		}
		if told(log.String(), secret) {
			t.Errorf("a log of %s: %s", name, log.String())
		}
	}
}

// told tells whether a text holds a secret, in hexadecimal digits too.
func told(text, secret string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret))
}
