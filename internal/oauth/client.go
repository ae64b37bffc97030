package oauth

import (
	"container/list"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync"
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
	var answer *Answer

	x := &exchange{role: roleToken, request: r}

	err := c.ask(ctx, x, func(resp *http.Response) (err error) {
		answer, err = x.read(resp)

		return err
	})
	if err != nil {
		return nil, err
	}

	answer.Sent, answer.Received = x.sent, x.received

	return answer, nil
}

// ask makes the request of an exchange, and has the answer read before its time
// is over.
func (c *Client) ask(ctx context.Context, x *exchange, read func(*http.Response) error) error {
	r := x.request

	x.parent, x.answered = ctx, once(r.Answered)
	if x.timeout = r.Timeout; x.timeout <= 0 {
		x.timeout = defaultTimeout
	}

	endpoint, err := parseEndpoint(x.role, r.TokenURL, c.insecure)
	if err != nil {
		return err
	}

	x.endpoint = endpoint

	// A proxy would hide the address from the dialer.
	if addr, err := netip.ParseAddr(endpoint.Hostname()); err == nil {
		if err := c.egress.Check(addr); err != nil {
			return x.networkError(err)
		}
	}

	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()

	x.limited = ctx
	s := &signer{now: c.now, random: c.random, tokenURL: r.TokenURL}

	req, err := c.build(httptrace.WithClientTrace(ctx, x.trace()), x.role, r, endpoint, s)
	if err != nil {
		return err
	}

	x.request.signed = s.signed

	transport, err := c.pools.get(connection{
		pool: r.Pool, bundle: r.CABundle, certificate: r.Client.Certificate, single: needsOwnConnection(r, req),
	})
	if err != nil {
		return err
	}

	x.proxied = isProxied(transport, req)

	return c.send(x, transport, req, read)
}

// once returns a function that calls f at its first call, if there is an f.
func once(f func()) func() {
	if f == nil {
		return func() {}
	}

	return sync.OnceFunc(f)
}

// send makes the request and has the answer read. It uses the transport itself:
// an http.Client would follow redirects and send what userinfo a URL has.
func (c *Client) send(
	x *exchange, transport *http.Transport, req *http.Request, read func(*http.Response) error,
) error {
	x.sent = c.now()

	resp, err := transport.RoundTrip(req)
	if err != nil {
		return x.certificateAdvice(err, x.networkError(err))
	}
	defer resp.Body.Close() //nolint:errcheck // the answer has been read, or given up

	x.received = c.now()
	resp.Body = &watchedBody{ReadCloser: resp.Body, ended: x.answered}

	return read(resp)
}
