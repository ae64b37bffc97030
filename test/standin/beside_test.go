package standin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

func TestTokensAreRevoked(t *testing.T) {
	clock := &clock{now: noon}
	server := rotating(standin.Rotation{}, clock.Now)
	revoke := func(token string, edits ...edit) answer {
		return call(t, server, http.MethodPost, standin.RevocationPath, url.Values{"token": {token}, "token_type_hint": {"any"}}.Encode(),
			append([]edit{encodedBasic()}, edits...)...)
	}
	good := func(accessToken string) bool {
		_, _, ok := server.Check(accessToken)
		return ok
	}
	first := token(t, server, refreshing(server.MintRefreshToken(id))).told(t)
	bare, other := token(t, server, encodedBasic()).told(t), token(t, server, encodedBasic()).told(t)

	if response := revoke(bare.AccessToken); response.status != http.StatusOK || response.text != "" || good(bare.AccessToken) || !good(other.AccessToken) {
		t.Errorf("an access token: %d %s", response.status, response.text)
	}
	if revoke(first.AccessToken); good(first.AccessToken) || server.StateOf(first.RefreshToken) != standin.TokenCurrent {
		t.Error("an access token takes its family along")
	}
	if response := revoke(first.RefreshToken, rawBasic("other", "s")); response.told(t).Error != "invalid_grant" || server.FamilyOf(first.RefreshToken).Revoked {
		t.Errorf("another client's: %d %s", response.status, response.text)
	}
	next := token(t, server, refreshing(first.RefreshToken)).told(t)
	if response := revoke(next.RefreshToken); response.status != http.StatusOK || good(next.AccessToken) || !server.FamilyOf(first.RefreshToken).Revoked {
		t.Errorf("a refresh token: %d %s", response.status, response.text)
	}
	if got := token(t, server, refreshing(next.RefreshToken)).told(t).Error; got != "invalid_grant" {
		t.Errorf("then it is answered %q", got)
	}
	for want, response := range map[int]answer{
		http.StatusOK:           revoke("unknown"),
		http.StatusBadRequest:   revoke(""),
		http.StatusUnauthorized: revoke(next.RefreshToken, rawBasic(id, "x")),
	} {
		if response.status != want {
			t.Errorf("got %d %s, want %d", response.status, response.text, want)
		}
	}
	clock.now = noon.Add(time.Hour)
	revoke(token(t, server, encodedBasic()).told(t).AccessToken)
	clock.now = noon
	if !good(bare.AccessToken) {
		t.Error("what has expired is remembered")
	}
	if counts := server.CountsOf(id); counts.Outcomes[standin.Revoked] != 5 || counts.Outcomes[standin.Malformed] != 1 {
		t.Errorf("counted %+v", counts)
	}
	expectRule(t, server, "")
}

func TestRevocationMisbehaves(t *testing.T) {
	server := rotating(standin.Rotation{}, fixed)
	server.Misbehave(standin.Behavior{Fault: standin.Respond, Path: standin.RevocationPath, Next: 1})
	first := server.MintRefreshToken(id)
	body := "token=" + first
	for i, want := range []int{http.StatusServiceUnavailable, http.StatusOK} {
		if got := token(t, server, encodedBasic()).status; got != http.StatusOK {
			t.Errorf("a token request is answered %d", got)
		}
		if got := call(t, server, http.MethodPost, standin.RevocationPath, body, encodedBasic()).status; got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
		if revoked := server.FamilyOf(first).Revoked; revoked != (want == http.StatusOK) {
			t.Errorf("request %d: revoked %t", i, revoked)
		}
	}
	codes, _ := start(t, server)
	server.Misbehave(standin.Behavior{Fault: standin.TooMany, Path: standin.DeviceAuthorizationPath, Delay: time.Millisecond})
	if got := call(t, server, http.MethodPost, standin.DeviceAuthorizationPath, "scope=a", encodedBasic()).status; got != http.StatusTooManyRequests {
		t.Errorf("a device: %d", got)
	}
	if got := token(t, server, polling(codes.DeviceCode)).told(t).Error; got != "authorization_pending" {
		t.Errorf("a poll: %s", got)
	}
}

func TestMetadata(t *testing.T) {
	options := codeOptions(fixed)
	options.SendIssuer, options.Scopes = true, []string{"read"}
	server := standin.NewOAuth(options)
	response := call(t, server, http.MethodGet, standin.MetadataPath, "")
	var got map[string]any
	if err := json.Unmarshal([]byte(response.text), &got); err != nil {
		t.Fatalf("%s: %v", response.text, err)
	}
	for name, want := range map[string]any{
		"issuer":                        "http://example.com",
		"authorization_endpoint":        "http://example.com/oauth/authorize",
		"token_endpoint":                "http://example.com/oauth/token",
		"device_authorization_endpoint": "http://example.com/oauth/device_authorization",
		"revocation_endpoint":           "http://example.com/oauth/revoke",
		"authorization_response_iss_parameter_supported": true,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if grantTypes, _ := got["grant_types_supported"].([]any); len(grantTypes) != 4 {
		t.Errorf("grant types %v", grantTypes)
	}
	if got := call(t, server, http.MethodPost, standin.MetadataPath, "").status; got != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got)
	}
	for _, other := range []*standin.Server{standin.NewSyncronex(standin.Options{}), standin.NewSyncplicity(standin.Options{}), standin.NewSynqly(standin.Options{})} {
		if got := call(t, other, http.MethodGet, standin.MetadataPath, "").status; got != http.StatusNotFound {
			t.Errorf("another server has it: %d", got)
		}
	}
}
