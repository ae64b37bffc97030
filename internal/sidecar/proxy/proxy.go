package proxy

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

const (
	// maxHeld is the largest body that is kept to be sent a second time, in bytes.
	maxHeld = 64 << 10

	maxHeaderBytes = 256 << 10
	headerTime     = 10 * time.Second
	idleTime       = 2 * time.Minute
)

// Metrics counts what a Proxy does. All methods are called concurrently.
type Metrics interface {
	// ProxyRequest counts a request by the status that it was answered with.
	ProxyRequest(status int)
	// ProxyRepeat counts a request that is sent a second time.
	ProxyRepeat()
	// RefreshRequest counts that a fresh token was asked for, by the error of the Refresher.
	RefreshRequest(err error)
}

// Options says what a Proxy passes on, and to whom.
type Options struct {
	// Upstream is --proxy-upstream, and InsecureUpstream lets its scheme be http.
	Upstream         *url.URL
	InsecureUpstream bool
	Current          *sidecar.Current
	// Refresher is whom to ask for another token than one that the upstream refused, nil for
	// nobody.
	Refresher sidecar.Refresher
	// TokenKey is the value of --token-key, for messages.
	TokenKey string
	Clock    clock.Clock
	Log      *slog.Logger
	Metrics  Metrics
	// RootCAs are the CAs that vouch for the upstream, nil for those of the system.
	RootCAs *x509.CertPool
}

// Proxy passes requests on with the token. It is safe for concurrent use.
type Proxy struct {
	Options

	reverse *httputil.ReverseProxy
	asker   *asker
	// plain is for gRPC to an upstream without TLS, which nothing else tells to speak
	// HTTP/2; transport is for all else.
	transport, plain *http.Transport
	failures         failures
}

// New makes a Proxy, which Close ends. The error is about the upstream, and shows nothing
// of it that may be secret.
func New(options Options) (*Proxy, error) {
	if err := checkUpstream(options.Upstream, options.InsecureUpstream); err != nil {
		return nil, err
	}
	p := &Proxy{
		Options:   options,
		asker:     newAsker(options),
		transport: newTransport(options.RootCAs),
		plain:     newTransport(options.RootCAs),
	}
	p.plain.Protocols = &http.Protocols{}
	p.plain.Protocols.SetUnencryptedHTTP2(true)
	p.reverse = &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      roundTripper(p.roundTrip),
		FlushInterval:  -1,
		ErrorHandler:   p.fail,
		ErrorLog:       slog.NewLogLogger(options.Log.Handler(), slog.LevelWarn),
		ModifyResponse: p.pass,
	}
	return p, nil
}

// Close ends what goes on beside requests, and must not be called while one is served.
func (p *Proxy) Close() {
	p.asker.close()
	p.transport.CloseIdleConnections()
	p.plain.CloseIdleConnections()
}

// Run serves until the context ends, and closes the listener and the Proxy.
// loopback.Serve has more of it; the error is something that ended it before. Neither
// requests nor answers have a time to end in: they may be streams.
func (p *Proxy) Run(ctx context.Context, listener net.Listener) error {
	defer p.Close()
	server := &http.Server{
		Handler:           p,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		ErrorLog:          slog.NewLogLogger(p.Log.Handler(), slog.LevelWarn),
		Protocols:         &http.Protocols{},
	}
	server.Protocols.SetHTTP1(true)
	// What gRPC clients speak where they are given no certificates.
	server.Protocols.SetUnencryptedHTTP2(true)
	return loopback.Serve(ctx, listener, server)
}

// ServeHTTP passes one request on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect, r.Method == http.MethodTrace:
		// By CONNECT the client would choose where to go, and by TRACE it would be shown the
		// token.
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		p.refuse(w, http.StatusMethodNotAllowed, "The method "+r.Method+" is not passed on.")
		return
	case r.URL.Opaque != "":
		p.refuse(w, http.StatusBadRequest, "The target of the request is neither a path nor a URL.")
		return
	case strings.Trim(p.Upstream.Path, "/") != "" && leaves(r.URL.Path):
		p.refuse(w, http.StatusBadRequest, "The path of the request leads out of that of --proxy-upstream.")
		return
	}
	r, err := held(r)
	if err != nil {
		p.refuse(w, http.StatusBadRequest, "The request ended before its body was complete.")
		return
	}
	// HTTP/2 needs no leave to answer while it reads.
	_ = http.NewResponseController(w).EnableFullDuplex()
	// An answer that names no type gets none from here.
	w.Header()["Content-Type"] = nil
	p.reverse.ServeHTTP(w, r)
}

// held reads a small body of known length, so that it can be sent twice: then the request
// has a GetBody.
func held(r *http.Request) (*http.Request, error) {
	if r.ContentLength <= 0 || r.ContentLength > maxHeld {
		return r, nil
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, err
	}
	r = r.WithContext(r.Context())
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody() // It never fails.
	return r, nil
}

// pass counts an answer of the upstream, and lets its trailers through: HTTP/1.1 has none
// beside a length, which HTTP/2 knows as well.
func (p *Proxy) pass(response *http.Response) error {
	p.Metrics.ProxyRequest(response.StatusCode)
	if len(response.Trailer) > 0 {
		response.Header.Del("Content-Length")
	}
	return nil
}
