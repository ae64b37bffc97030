package oauth

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokensync/tokensync/internal/egress"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultMaxPools  = 256
	defaultUserAgent = "tokensync"
)

// Options is what a Client needs.
type Options struct {
	// Egress decides on addresses. nil means the list of package egress.
	Egress *egress.Policy
	// AllowInsecureHTTP permits token URLs that begin with http://.
	AllowInsecureHTTP bool
	// UseProxy honors HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Egress then sees
	// the proxy's address only: the proxy must enforce the rest.
	UseProxy bool
	// UserAgent is the User-Agent header; empty means tokensync.
	UserAgent string
	// Now is the clock that stamps assertions and answers. It is required.
	Now func() time.Time
	// Random is where the jti of assertions come from, such as rand.Reader of
	// crypto/rand. It is required, and read by several requests at once.
	Random io.Reader
	// MaxPools is the most pools whose connections are kept; 0 or less means 256.
	MaxPools int
}

// Client talks to token endpoints. It is safe for concurrent use.
type Client struct {
	egress    *egress.Policy
	insecure  bool
	userAgent string
	now       func() time.Time
	random    io.Reader
	pools     *pools
}

// NewClient makes a Client. It panics without a clock or a random source, since
// that is a mistake of the program that would otherwise show late.
func NewClient(options Options) *Client {
	if options.Now == nil {
		panic("oauth: Options.Now is required")
	}

	if options.Random == nil {
		panic("oauth: Options.Random is required")
	}

	c := &Client{
		egress:    options.Egress,
		insecure:  options.AllowInsecureHTTP,
		userAgent: options.UserAgent,
		now:       options.Now,
		random:    options.Random,
	}

	if c.egress == nil {
		c.egress = egress.NewPolicy(egress.Options{})
	}

	if c.userAgent == "" {
		c.userAgent = defaultUserAgent
	}

	c.pools = &pools{
		egress: c.egress,
		max:    options.MaxPools,
		order:  list.New(),
		byKey:  map[poolKey]*list.Element{},
	}

	if c.pools.max <= 0 {
		c.pools.max = defaultMaxPools
	}

	if options.UseProxy {
		c.pools.proxy = http.ProxyFromEnvironment
	}

	return c
}

// CloseIdleConnections closes the connections that no request uses. The client
// remains usable.
func (c *Client) CloseIdleConnections() {
	c.pools.close()
}

// Token asks a token endpoint for a token (RFC 6749 sections 4.4.2 and 5.1)
// with exactly one HTTP request. Every error is an *Error; where ctx has ended,
// it wraps the cause that ctx.Err has.
func (c *Client) Token(ctx context.Context, r Request) (*Answer, error) {
	x := &exchange{request: r, timeout: r.Timeout, parent: ctx, answered: once(r.Answered)}

	if x.timeout <= 0 {
		x.timeout = defaultTimeout
	}

	endpoint, err := parseEndpoint(r.TokenURL, c.insecure)
	if err != nil {
		return nil, err
	}

	x.endpoint = endpoint

	// A proxy would hide the address from the dialer.
	if addr, err := netip.ParseAddr(endpoint.Hostname()); err == nil {
		if err := c.egress.Check(addr); err != nil {
			return nil, x.networkError(err)
		}
	}

	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()

	x.limited = ctx
	s := &signer{now: c.now, random: c.random, tokenURL: r.TokenURL}

	req, err := c.build(httptrace.WithClientTrace(ctx, x.trace()), r, endpoint, s)
	if err != nil {
		return nil, err
	}

	x.request.signed = s.signed

	transport, err := c.pools.get(connection{
		pool: r.Pool, bundle: r.CABundle, certificate: r.Client.Certificate, single: needsOwnConnection(r, req),
	})
	if err != nil {
		return nil, err
	}

	x.proxied = isProxied(transport, req)

	return c.send(x, transport, req)
}

// once returns a function that calls f at its first call, if there is an f.
func once(f func()) func() {
	if f == nil {
		return func() {}
	}

	return sync.OnceFunc(f)
}

// send makes the request and reads the answer. It uses the transport itself:
// an http.Client would follow redirects and send what userinfo a URL has.
func (c *Client) send(x *exchange, transport *http.Transport, req *http.Request) (*Answer, error) {
	sent := c.now()

	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, x.certificateAdvice(err, x.networkError(err))
	}
	defer resp.Body.Close() //nolint:errcheck // the answer has been read, or given up

	received := c.now()
	resp.Body = &watchedBody{ReadCloser: resp.Body, ended: x.answered}

	answer, err := x.read(resp, received)
	if err != nil {
		return nil, err
	}

	answer.Sent, answer.Received = sent, received

	return answer, nil
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

// exchange is one request and what became of it.
type exchange struct {
	request  Request
	endpoint *url.URL
	timeout  time.Duration
	proxied  bool
	// answered tells the caller, once, that the answer has been read.
	answered func()
	// parent is the caller's context, limited the one with the timeout; the
	// two tell a time-out from a caller who gave up.
	parent, limited context.Context //nolint:containedctx // lives as long as one call
	// connected and answering say how far it came. Dials outlive a request, so
	// they may still be written after it has ended.
	connected, reused, answering, handshakeFailed atomic.Bool
}

// trace returns hooks that note the progress of the request.
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
