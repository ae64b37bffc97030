package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// verifier has the cluster vouch for the tokens of one ServiceAccount for one audience.
type verifier struct {
	// server is the URL of the API server, and account the directory with the token that is
	// shown to it, and the certificate of whom to trust.
	server, account   string
	subject, audience string

	client *http.Client
}

// apiServer is the URL that the kubelet tells a pod; empty where this is none.
func apiServer() string {
	host := os.Getenv("KUBERNETES_SERVICE_HOST")
	if host == "" {
		return ""
	}
	return "https://" + net.JoinHostPort(host, os.Getenv("KUBERNETES_SERVICE_PORT"))
}

func (v *verifier) connect() error {
	transport, err := newTransport(filepath.Join(v.account, "ca.crt"))
	if err != nil {
		return err
	}
	v.client = &http.Client{Transport: transport, Timeout: callTimeout}
	return nil
}

// verify says what is wrong with a token, nothing where it is good.
func (v *verifier) verify(ctx context.Context, token string) (problem string) {
	if err := v.verifySignature(ctx, token); err != nil {
		return "by the keys of the cluster: " + err.Error()
	}
	if err := v.review(ctx, token); err != nil {
		return "by a TokenReview: " + err.Error()
	}
	return ""
}

// verifySignature does what a provider outside of the cluster would do.
func (v *verifier) verifySignature(ctx context.Context, token string) error {
	var metadata struct {
		Issuer string `json:"issuer"`
	}
	if err := v.call(ctx, http.MethodGet, "/.well-known/openid-configuration", nil, &metadata); err != nil {
		return err
	}
	var keys jose.JSONWebKeySet
	if err := v.call(ctx, http.MethodGet, "/openid/v1/jwks", nil, &keys); err != nil {
		return err
	}
	signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return errors.New("the assertion is no signed JWT")
	}
	var claims jwt.Claims
	if err := signed.Claims(&keys, &claims); err != nil {
		return fmt.Errorf("the signature: %w", err)
	}
	if !slices.Equal(claims.Audience, []string{v.audience}) {
		return fmt.Errorf("the audience is %q", claims.Audience)
	}
	return claims.Validate(jwt.Expected{Issuer: metadata.Issuer, Subject: v.subject, Time: time.Now()})
}

// review asks whether the API server takes the token, which it does not when the
// ServiceAccount is gone.
func (v *verifier) review(ctx context.Context, token string) error {
	type spec struct {
		Token     string   `json:"token"`
		Audiences []string `json:"audiences"`
	}
	review := struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       spec   `json:"spec"`
	}{"authentication.k8s.io/v1", "TokenReview", spec{token, []string{v.audience}}}
	var reviewed struct {
		Status struct {
			Authenticated bool     `json:"authenticated"`
			Audiences     []string `json:"audiences"`
			Error         string   `json:"error"`
			User          struct {
				Username string `json:"username"`
			} `json:"user"`
		} `json:"status"`
	}
	if err := v.call(ctx, http.MethodPost, "/apis/authentication.k8s.io/v1/tokenreviews", review, &reviewed); err != nil {
		return err
	}
	switch status := reviewed.Status; {
	case !status.Authenticated:
		return fmt.Errorf("the token is not good: %s", status.Error)
	case !slices.Contains(status.Audiences, v.audience):
		return fmt.Errorf("the audiences are %q", status.Audiences)
	case status.User.Username != v.subject:
		return fmt.Errorf("the user is %q", status.User.Username)
	}
	return nil
}

// call asks the API server.
func (v *verifier) call(ctx context.Context, method, path string, body, into any) error {
	own, err := os.ReadFile(filepath.Join(v.account, "token"))
	if err != nil {
		return fmt.Errorf("read the provider's own token: %w", err)
	}
	content := []byte{}
	if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(v.server, "/")+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(own)))
	request.Header.Set("Content-Type", "application/json")
	got, err := exchange(v.client, request)
	switch {
	case err != nil:
		return err
	case got.status >= http.StatusMultipleChoices:
		return fmt.Errorf("the API server answers %s %s: %s", method, path, got)
	}
	return json.Unmarshal(got.body, into)
}
