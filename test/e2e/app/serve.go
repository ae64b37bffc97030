package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	callTimeout   = 15 * time.Second
)

// serve serves until the context ends; over TLS where the server has a configuration of it.
func serve(ctx context.Context, listener net.Listener, server *http.Server) error {
	server.ReadHeaderTimeout = headerTimeout
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // The process ends.
	defer stop()
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve at %s: %w", listener.Addr(), err)
}

// answer answers with JSON.
func answer(w http.ResponseWriter, value any) {
	content, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(content) // The client may be gone.
}

// newTransport is one that trusts the authorities of a file in PEM and nobody else, and
// minds no proxy of the environment. Without a file it trusts nobody.
func newTransport(caFile string) (*http.Transport, error) {
	roots := x509.NewCertPool()
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("read whom to trust: %w", err)
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("there is no certificate in %s", caFile)
		}
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}, nil
}

// local reads an address of the sidecar: http://HOST:PORT, or unix:/path.sock, for which it
// also changes how the transport connects.
func local(address string, transport *http.Transport) (base string) {
	path, isSocket := strings.CutPrefix(address, "unix:")
	if !isSocket {
		return address
	}
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return "http://localhost"
}
