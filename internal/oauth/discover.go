package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

// MetadataRequest is everything about one discovery.
type MetadataRequest struct {
	// Issuer is an absolute URL without userinfo, query and fragment (RFC 8414
	// section 2).
	Issuer string
	// CABundle, Certificate and Pool are as in a Request and its Client:
	// connections are shared with token requests where all three are equal.
	CABundle    []byte
	Certificate *tls.Certificate
	Pool        string
	// Timeout is the longest that the discovery may take. 0 or less means 30 s.
	Timeout time.Duration
}

// MetadataKey is what makes two requests the same, for those who keep answers.
type MetadataKey struct {
	issuer     string
	connection poolKey
}

// Key returns the key of the request: all of it but the time-out.
func (r MetadataRequest) Key() MetadataKey {
	return MetadataKey{issuer: r.Issuer, connection: r.connection().key()}
}

// connection returns the connection that the request needs.
func (r MetadataRequest) connection() connection {
	return connection{pool: r.Pool, bundle: r.CABundle, certificate: r.Certificate}
}

// Discover asks an issuer for its metadata, with one HTTP request where RFC 8414
// section 3.1 has it, and one more where OpenID Connect Discovery section 4 has
// it if that brings none. Every error is an *Error, with the kinds and classes
// of Token.
func (c *Client) Discover(ctx context.Context, r MetadataRequest) (*Metadata, error) {
	issuer, err := parseIssuer(r.Issuer, c.insecure)
	if err != nil {
		return nil, err
	}

	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}

	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	var failed *Error

	for _, location := range wellKnown(issuer) {
		x := &exchange{
			role: roleIssuer, request: Request{CABundle: r.CABundle}, endpoint: issuer,
			timeout: timeout, parent: ctx, limited: limited,
		}

		m, err := c.fetch(limited, x, r, location)

		e, ok := errors.AsType[*Error](err)
		if !ok || e.Class != lifetime.Protocol {
			return m, err
		}

		// Metadata that cannot be used tells more than none at all.
		if failed == nil || e.Status < http.StatusBadRequest {
			failed = e
		}
	}

	return nil, failed
}

// fetch asks for metadata at one location.
func (c *Client) fetch(ctx context.Context, x *exchange, r MetadataRequest, location string) (*Metadata, error) {
	// A proxy would hide the address from the dialer.
	if addr, err := netip.ParseAddr(x.endpoint.Hostname()); err == nil {
		if err := c.egress.Check(addr); err != nil {
			return nil, x.networkError(err)
		}
	}

	transport, err := c.pools.get(r.connection())
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, x.trace()), http.MethodGet, location, http.NoBody)
	if err != nil {
		return nil, invalidRequest("issuer cannot be requested.")
	}

	req.Header = http.Header{"Accept": {"application/json"}, "User-Agent": {c.userAgent}}
	x.proxied = isProxied(transport, req)

	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, x.networkError(err)
	}
	defer resp.Body.Close() //nolint:errcheck // the answer has been read, or given up

	x.received = c.now()

	return x.readMetadata(resp, r.Issuer, c.insecure)
}

// readMetadata reads an answer to a request for metadata.
func (x *exchange) readMetadata(resp *http.Response, issuer string, insecure bool) (*Metadata, error) {
	status := resp.StatusCode

	switch {
	case status < http.StatusOK: // 101, the body of which is a connection
		return nil, x.metadataFailure(resp, "changes the protocol")
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return nil, x.redirect(resp)
	case status >= http.StatusBadRequest:
		if e := x.failure(resp, newReading(content{}), ""); e.Class != lifetime.Protocol {
			return nil, e
		}

		return nil, x.metadataFailure(resp, "")
	}

	body, large, err := readBody(resp.Body)

	switch {
	case large:
		return nil, x.metadataFailure(resp, "is larger than 1 MiB")
	case err != nil:
		return nil, x.bodyError(err, status)
	}

	m, wrong := parseMetadata(body, issuer, insecure)
	if wrong != "" {
		return nil, x.metadataFailure(resp, wrong)
	}

	return m, nil
}

// Abandoned returns the error for a caller who no longer waits for a discovery
// that others wait for too. cause is what the caller's context has ended with.
func Abandoned(cause error) *Error {
	return &Error{
		Kind: KindUnreachable, Class: lifetime.Transient, cause: cause,
		Message: "The discovery at the issuer was given up before an answer came.",
	}
}
