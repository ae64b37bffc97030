package sidecar_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
)

// service is an HTTP service that takes no token but the good ones of a provider.
//
//	/socket   a protocol of its own, after an upgrade: it sends back what it gets
//	/...      the hash of what was posted, or else `ok`
type service struct {
	*httptest.Server

	provider *standin.Server
	// denied counts the requests without a good token, and upgraded is set by the first
	// upgrade.
	denied atomic.Int64
}

func newService(provider *standin.Server) *service {
	s := &service{provider: provider}
	s.Server = httptest.NewServer(s)
	DeferCleanup(s.CloseClientConnections)
	DeferCleanup(s.Close)
	return s
}

// ServeHTTP implements http.Handler.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, _, good := s.provider.Check(token); !found || !good {
		s.denied.Add(1)
		http.Error(w, "denied", http.StatusUnauthorized)
		return
	}
	switch {
	case r.URL.Path == "/socket":
		s.serveSocket(w, r)
	case r.Method == http.MethodPost:
		sum := sha256.New()
		size, err := io.Copy(sum, r.Body)
		if err != nil {
			return // The client is gone.
		}
		_, _ = fmt.Fprintf(w, "%d bytes, %x", size, sum.Sum(nil))
	default:
		_, _ = fmt.Fprintln(w, "ok")
	}
}

// serveSocket takes the connection over.
func (s *service) serveSocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		http.Error(w, "upgrade", http.StatusUpgradeRequired)
		return
	}
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = connection.Close() }()
	_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = io.Copy(connection, buffered)
}
