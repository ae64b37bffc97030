package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

const (
	dialTime       = 10 * time.Second
	handshakeTime  = 10 * time.Second
	continueTime   = time.Second
	idleUpstream   = 90 * time.Second
	maxIdle        = 16
	maxAnswerBytes = 1 << 20 // of its headers
	tlsSessions    = 8
	pingAfter      = 30 * time.Second
	pingTime       = 15 * time.Second
	// maxDrained is how much of a refusal is read so that its connection can be used again,
	// in bytes.
	maxDrained = 64 << 10
)

// newTransport makes a transport that goes to the upstream directly, whatever proxies the
// environment names, and changes nothing of an answer.
func newTransport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		DialContext: (&net.Dialer{Timeout: dialTime}).DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			RootCAs:            roots,
			ClientSessionCache: tls.NewLRUClientSessionCache(tlsSessions),
		},
		TLSHandshakeTimeout:    handshakeTime,
		DisableCompression:     true,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleUpstream,
		ExpectContinueTimeout:  continueTime,
		MaxResponseHeaderBytes: maxAnswerBytes,
		ForceAttemptHTTP2:      true,
		// All requests over HTTP/2 share a connection, so that a dead one has to be noticed.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTime},
	}
}

// roundTripper is a function that is an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// roundTrip sends a request with the newest token, and once more if the upstream refuses
// that and there is another.
func (p *Proxy) roundTrip(r *http.Request) (*http.Response, error) {
	set := p.Current.Set()
	if _, sentence := loopback.Missing(set, p.TokenKey, p.Clock.Now()); sentence != "" {
		return nil, &unavailableError{sentence: sentence}
	}
	response, err := p.send(r, set)
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		return response, err
	}
	another := p.asker.another(r.Context(), set, canRepeat(r))
	if another == nil || !canRepeat(r) {
		return response, nil
	}
	drain(response)
	p.Metrics.ProxyRepeat()
	return p.send(r, another)
}

// send sends a request with a token.
func (p *Proxy) send(r *http.Request, set *sidecar.Set) (*http.Response, error) {
	out := r.Clone(r.Context())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	out.Header.Set("Authorization", set.Type+" "+set.Token.Reveal())
	if p.Upstream.Scheme == "http" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		return p.plain.RoundTrip(out)
	}
	return p.transport.RoundTrip(out)
}

// canRepeat tells whether a request can be sent a second time.
func canRepeat(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// drain reads the rest of a short answer that nobody wants, and closes it.
func drain(response *http.Response) {
	if response.ContentLength >= 0 && response.ContentLength <= maxDrained {
		// A connection that fails here is one that is not used again.
		_, _ = io.Copy(io.Discard, response.Body)
	}
	_ = response.Body.Close()
}
