package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// exchange is one request and what became of it.
type exchange struct {
	role     role
	request  Request
	endpoint *url.URL
	timeout  time.Duration
	proxied  bool
	// sent is just before the request went out, received when the headers of the
	// answer had arrived.
	sent, received time.Time
	// answered tells the caller, once, that the answer has been read.
	answered func()
	// parent is the caller's context, limited the one with the timeout; the
	// two tell a time-out from a caller who gave up.
	parent, limited context.Context //nolint:containedctx // lives as long as one call
	// connected and answering say how far it came. Dials outlive a request, so
	// they may still be written after it has ended.
	connected, reused, answering, handshakeFailed atomic.Bool
}

// trace returns hooks that note the progress of the request. There is none for
// the end of its writing: over HTTP/1.1 net/http calls that one before the bytes
// leave its buffer, so that it says nothing about what has arrived.
func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			x.connected.Store(true)
			x.reused.Store(info.Reused)
		},
		GotFirstResponseByte: func() { x.answering.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				x.handshakeFailed.Store(true)
			}
		},
	}
}

// watchedBody calls a function when it has been read to its end.
type watchedBody struct {
	io.ReadCloser

	ended func()
}

// Read reads the body.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.ended()
	}

	return n, err
}

// isProxied tells whether the request goes to a proxy.
func isProxied(transport *http.Transport, req *http.Request) bool {
	if transport.Proxy == nil {
		return false
	}

	proxy, err := transport.Proxy(req)

	return err == nil && proxy != nil
}
