package kube

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"k8s.io/client-go/rest"
)

// readTokenFile lets each request carry the token that its file holds at that time. The
// configuration's own way reads the file once a minute, so a token that was replaced
// because nobody takes the old one any more would be refused for that long.
func readTokenFile(config *rest.Config) {
	path := config.BearerTokenFile
	if path == "" {
		return
	}
	config.BearerToken, config.BearerTokenFile = "", ""
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &tokenFile{path: path, next: next} })
}

type tokenFile struct {
	path string
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *tokenFile) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := os.ReadFile(t.path)
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // as a round tripper has to, whatever comes of it
		}
		return nil, fmt.Errorf("read the token of the ServiceAccount: %w", err)
	}
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	return t.next.RoundTrip(request)
}

// WrappedRoundTripper lets connections be closed.
func (t *tokenFile) WrappedRoundTripper() http.RoundTripper { return t.next }
