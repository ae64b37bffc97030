package check_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// TestARefreshTokenIsNotSpent, and all else is looked at.
func TestARefreshTokenIsNotSpent(t *testing.T) {
	t.Parallel()
	server := standin.NewSyncplicity(standin.Options{Clients: map[string]string{"key-17": clientSecret}})
	manifest := strings.NewReplacer(
		"  client:\n", "  grantType: refresh_token\n  refreshToken: {bootstrapRef: {name: syncplicity, key: r}}\n  client:\n",
		"stringData: {", `stringData: {r: "the-refresh-token", `,
	).Replace(syncplicityFor(t, server))
	out, _, err := run(t, manifest, append(loopback, "-f", "-")...)
	if err != nil || !strings.Contains(out, "– not tried: ") || !strings.Contains(out, "would spend the refresh token") ||
		!strings.Contains(out, "client      client_secret_basic, id key-17") {
		t.Errorf("got %v\n%s", err, out)
	}
	if len(server.Requests()) != 0 || strings.Contains(out, "the-refresh-token") {
		t.Errorf("it was sent, or shown:\n%s", out)
	}
}

// TestACodeForADevice shows both requests, and of the second one the answer that counts.
func TestACodeForADevice(t *testing.T) {
	t.Parallel()
	server := standin.NewOAuth(standin.Options{
		Clients: map[string]string{"acme": clientSecret}, Rotation: &standin.Rotation{}, DeviceInterval: time.Second,
	})
	var code string
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, r)
		if strings.HasSuffix(r.URL.Path, "/device_authorization") {
			var device struct {
				Code string `json:"user_code"`
			}
			_ = json.Unmarshal(recorder.Body.Bytes(), &device)
			code = device.Code
		} else {
			server.ApproveDevice(code) // From the second time on.
		}
		maps.Copy(w.Header(), recorder.Header())
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	}))
	t.Cleanup(front.Close)
	manifest := strings.NewReplacer("METHOD}", "client_secret_post}\n    deviceAuthorizationURL: BASE/oauth/device_authorization",
		"  client: {", "  grantType: urn:ietf:params:oauth:grant-type:device_code\n  client: {").Replace(plain)
	out, errOut, err := run(t, strings.ReplaceAll(manifest, "BASE", front.URL), append(loopback, "-f", "-", "--no-browser")...)
	if err != nil || len(server.Violations()) != 0 {
		t.Fatalf("got %v, and %v\n%s%s", err, server.Violations(), out, errOut)
	}
	for _, want := range []string{
		"client      client_secret_post, id acme", "request     POST " + front.URL + "/oauth/device_authorization\n", "scope=read write",
		`"device_code": "[redacted`, "request     POST " + front.URL + "/oauth/token\n", "device_code=[redacted]",
		`"access_token": "[redacted`, "with a refresh token", "✓ it works",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	for line, want := range map[string]int{
		"connection  127.0.0.1:": 2, "  Host: ": 2, "grant_type=urn:ietf:params:oauth:grant-type:device_code\n": 1, "authorization_pending": 0,
	} {
		if n := strings.Count(out, line); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", line, n, want, out)
		}
	}
}
