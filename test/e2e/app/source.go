package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// longestExcerpt is how much of an answer is told where it is not the one that was hoped
// for, in bytes.
const longestExcerpt = 256

// source has the token at any time.
type source interface {
	// token is the one to use now; the error says why there is none.
	token(ctx context.Context) (string, error)
}

// tokenFile is a file with the token.
type tokenFile string

func (f tokenFile) token(context.Context) (string, error) {
	content, err := os.ReadFile(string(f))
	if err == nil && len(content) == 0 {
		return "", fmt.Errorf("%s is empty", string(f))
	}
	return string(content), err
}

// tokenEndpoint answers with the token, as the sidecar's does.
type tokenEndpoint struct {
	url    string
	client *http.Client
}

func newTokenEndpoint(address string) *tokenEndpoint {
	transport := &http.Transport{}
	base := local(address, transport)
	if base != address {
		base += "/token"
	}
	return &tokenEndpoint{url: base, client: &http.Client{Transport: transport, Timeout: callTimeout}}
}

func (e *tokenEndpoint) token(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("Tokensync", "true")
	got, err := exchange(e.client, request)
	if err != nil {
		return "", err
	}
	if got.status != http.StatusOK {
		return "", fmt.Errorf("the token endpoint: %s", got)
	}
	var told struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(got.body, &told); err != nil || told.AccessToken == "" {
		return "", errors.New("the token endpoint answers without a token")
	}
	return told.AccessToken, nil
}

// reply is a whole answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// String tells of an answer that was not hoped for, so there is no token in it.
func (r reply) String() string {
	excerpt := r.body[:min(len(r.body), longestExcerpt)]
	return fmt.Sprintf("HTTP status %d: %s", r.status, strings.TrimSpace(strings.ToValidUTF8(string(excerpt), "?")))
}

// exchange makes a request, and reads the whole answer.
func exchange(client *http.Client, request *http.Request) (reply, error) {
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, body}, errors.Join(err, response.Body.Close())
}

// hash tells a token from others, and nothing else about it.
func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:8])
}
