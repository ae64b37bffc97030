package oidcprovider_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

func start(ctx context.Context, t *testing.T) *oidcprovider.Provider {
	t.Helper()
	provider, err := oidcprovider.Start(ctx, oidcprovider.Options{
		Clients: []oidcprovider.Client{{ID: "client", Secret: "secret", Method: "client_secret_post"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Stop)
	return provider
}

// answers says whether somebody listens at the token endpoint.
func answers(t *testing.T, provider *oidcprovider.Provider) bool {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "client_secret": {"secret"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, provider.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return false
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("status %d (%v)", response.StatusCode, err)
	}
	return true
}

func TestStopEndsTheServer(t *testing.T) {
	provider := start(t.Context(), t)
	if !answers(t, provider) {
		t.Fatal("it does not answer")
	}
	before := time.Now()
	provider.Stop()
	provider.Stop() // twice is once
	if took := time.Since(before); took > 4*time.Second {
		t.Errorf("it had to be killed, after %s: it does not notice that its input has ended", took)
	}
	if answers(t, provider) {
		t.Error("it still answers")
	}
}

func TestTheContextEndsTheServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	provider := start(ctx, t)
	cancel()
	for deadline := time.Now().Add(10 * time.Second); answers(t, provider); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it still answers")
		}
	}
}

func TestAMissingNodeIsAFailureThatNamesIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := oidcprovider.Start(t.Context(), oidcprovider.Options{})
	if err == nil || !strings.Contains(err.Error(), "Node 20") {
		t.Errorf("got %v", err)
	}
}

func TestAnOldNodeIsAFailureThatNamesIt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/node", []byte("#!/bin/sh\necho v18.20.4\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	_, err := oidcprovider.Start(t.Context(), oidcprovider.Options{})
	if err == nil || !strings.Contains(err.Error(), "Node 20") || !strings.Contains(err.Error(), "v18.20.4") {
		t.Errorf("got %v", err)
	}
}

func TestABadSettingSaysWhy(t *testing.T) {
	_, err := oidcprovider.Start(t.Context(), oidcprovider.Options{
		Clients: []oidcprovider.Client{{ID: "client", Secret: "secret", Method: "nonsense"}},
	})
	if err == nil || !strings.Contains(err.Error(), "token_endpoint_auth_method") {
		t.Errorf("got %v", err)
	}
}

func TestABadClientSaysWhy(t *testing.T) {
	provider := start(t.Context(), t)
	err := provider.Register(oidcprovider.Client{ID: "client", Method: "private_key_jwt"})
	if err == nil || !strings.Contains(err.Error(), "jwks") {
		t.Errorf("got %v", err)
	}
	if err := provider.Register(oidcprovider.Client{ID: "client", Secret: "secret", Method: "client_secret_post"}); err != nil {
		t.Error(err)
	}
	if !answers(t, provider) {
		t.Error("it does not answer")
	}
}

func TestAServerThatIsGoneObeysNobody(t *testing.T) {
	provider := start(t.Context(), t)
	provider.Stop()
	if err := provider.Register(oidcprovider.Client{ID: "client", Secret: "secret", Method: "client_secret_post"}); err == nil {
		t.Error("it obeys")
	}
}
