package oauth

import (
	"container/list"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/lifetime"
)

const (
	maxHeaderBytes   = 64 << 10
	maxIdlePerHost   = 2
	maxIdlePerPool   = 8
	tlsSessions      = 8
	idleTimeout      = 30 * time.Second
	pingAfter        = 15 * time.Second
	pingTimeout      = 15 * time.Second
	handshakeTimeout = 2 * time.Minute // a bound for what a canceled request leaves behind
)

// connection is what requests must have in common to share connections.
type connection struct {
	pool string
	// bundle is the CA bundle in PEM; nil means the roots of the system.
	bundle []byte
	// certificate is the client's; nil means none.
	certificate *tls.Certificate
	// single is true where each request has a connection of its own.
	single bool
}

// poolKey is a connection that can be compared.
type poolKey struct {
	pool                string
	system, single      bool
	bundle, certificate [sha256.Size]byte
}

// key returns the key under which the transport for c is kept.
func (c connection) key() poolKey {
	return poolKey{
		pool: c.pool, system: c.bundle == nil, single: c.single,
		bundle: sha256.Sum256(c.bundle), certificate: fingerprint(c.certificate),
	}
}

// pools keeps the transports that were used last. What is evicted loses its
// idle connections; requests under way end undisturbed.
type pools struct {
	egress *egress.Policy
	proxy  func(*http.Request) (*url.URL, error)
	max    int

	mu    sync.Mutex
	order *list.List // of *pool, the last used first
	byKey map[poolKey]*list.Element
}

// pool is one transport and its key.
type pool struct {
	key       poolKey
	transport *http.Transport
}

// get returns the transport for a connection.
func (p *pools) get(c connection) (*http.Transport, error) {
	key := c.key()

	p.mu.Lock()
	defer p.mu.Unlock()

	if element, ok := p.byKey[key]; ok {
		p.order.MoveToFront(element)

		return element.Value.(*pool).transport, nil //nolint:forcetypeassert // the list holds nothing else
	}

	roots, err := parseBundle(c.bundle)
	if err != nil {
		return nil, err
	}

	created := &pool{key: key, transport: p.newTransport(c, roots)}
	p.byKey[key] = p.order.PushFront(created)

	if p.order.Len() > p.max {
		p.evict(p.order.Back())
	}

	return created.transport, nil
}

// evict forgets a pool. The caller holds the lock.
func (p *pools) evict(element *list.Element) {
	old := p.order.Remove(element).(*pool) //nolint:forcetypeassert // the list holds nothing else

	delete(p.byKey, old.key)
	old.transport.CloseIdleConnections()
}

// close forgets all pools.
func (p *pools) close() {
	p.mu.Lock()
	defer p.mu.Unlock()

	for p.order.Len() > 0 {
		p.evict(p.order.Back())
	}
}

// newTransport makes a transport that trusts roots, or the system's if nil.
func (p *pools) newTransport(c connection, roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: handshakeTimeout, Control: p.egress.Control}

	transport := &http.Transport{
		Proxy:       p.proxy,
		DialContext: dialer.DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:           tls.VersionTLS12,
			RootCAs:              roots,
			ClientSessionCache:   tls.NewLRUClientSessionCache(tlsSessions),
			GetClientCertificate: presents(c.certificate),
		},
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConns:           maxIdlePerPool,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
		// A dead HTTP/2 connection would otherwise swallow request after
		// request, since all go over the same one.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		OnProxyConnectResponse: checkConnect,
	}

	if c.single {
		// net/http repeats a request without a body where an idle connection
		// turns out to be dead, and over HTTP/2 on a new connection as well.
		// Over HTTP/1.1 and a connection that has just been opened it never does.
		transport.DisableKeepAlives = true
		transport.Protocols = &http.Protocols{}
		transport.Protocols.SetHTTP1(true)
	}

	return transport
}

// proxyError is a proxy that refuses to connect.
type proxyError struct{ status int }

// Error returns a text without anything of the proxy's answer.
func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered with HTTP status %d", e.status)
}

// checkConnect turns a proxy's refusal into a *proxyError.
func checkConnect(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &proxyError{status: resp.StatusCode}
	}

	return nil
}

// parseBundle reads PEM certificates. Unlike x509.CertPool it passes over none
// that it cannot read: a bundle that is half understood fails later, and the
// error then is about the server. nil gives nil, the roots of the system.
func parseBundle(bundle []byte) (*x509.CertPool, error) {
	if bundle == nil {
		return nil, nil //nolint:nilnil // nil is what tls.Config takes for the system's roots
	}

	roots, count := x509.NewCertPool(), 0

	for rest := bundle; ; {
		var block *pem.Block

		if block, rest = pem.Decode(rest); block == nil {
			break
		}

		if block.Type != "CERTIFICATE" {
			continue
		}

		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, invalidBundle("The CA bundle that tls.caRef names holds a certificate that cannot be read.")
		}

		roots.AddCert(certificate)

		count++
	}

	if count == 0 {
		return nil, invalidBundle("The CA bundle that tls.caRef names holds no certificate in PEM form.")
	}

	return roots, nil
}

// invalidBundle returns the error for a CA bundle that cannot be used.
func invalidBundle(message string) *Error {
	return &Error{Kind: KindInvalidKey, Class: lifetime.Configuration, Message: message}
}
