package standin

import (
	"net/url"
	"time"
)

const (
	// TokenPath is the path of the token endpoint.
	TokenPath = "/oauth/token"
	// ResourcePrefix begins the path of every protected resource.
	ResourcePrefix = "/api/"
	// TrapPath is where Redirect leads when the behavior names no location. A
	// request that arrives here is a violation: a redirect was followed.
	TrapPath = "/redirected"

	defaultLogSize = 512
	maximumBody    = 16 << 10
)

// Options configure a Server. The zero value of every field is usable.
type Options struct {
	// Lifetime of the tokens. Zero means that of the real system: 20 minutes for
	// Syncronex, 85 for Syncplicity, 10 for Synqly, an hour for plain OAuth. It is at least a
	// second.
	Lifetime time.Duration
	// Clients maps the ids of the registered clients to their secrets. For plain
	// OAuth an empty secret registers a public client (method none).
	Clients map[string]string
	// AnyClient is asked about a client that is not in Clients; nil refuses it.
	AnyClient func(id, secret string) bool
	// AppTokens are the application tokens that Syncplicity accepts; none accepts
	// any that is not empty.
	AppTokens []string
	// Tenants are the scopes that Syncronex accepts; none accepts any that is not
	// empty.
	Tenants []string
	// Scopes are those that plain OAuth grants; none grants any.
	Scopes []string
	// Grant is asked by plain OAuth about every grant but client_credentials, with
	// the parameters of the request; it answers what is wrong with them, nothing
	// where they are good. nil refuses those grants.
	Grant func(grantType string, parameters url.Values) (problem string)
	// Assertion is asked by plain OAuth about the client_assertion of a request
	// (RFC 7523 section 2.2): whose it is, and what is wrong with it. nil refuses
	// all.
	Assertion func(assertion string) (clientID, problem string)
	// Same answers each client the same token until it expires, with the rest of
	// its life.
	Same bool
	// Headers names request headers that are no violation although the real
	// client would not send them.
	Headers []string
	// Key seals the tokens, at any length. Servers with the same key accept each
	// other's tokens. Empty means a random one.
	Key []byte
	// LogSize bounds the log of requests; zero means 512.
	LogSize int
	// Clock says what time it is; nil means time.Now.
	Clock func() time.Time
}

// withDefaults fills what was left out.
func (o Options) withDefaults(lifetime time.Duration) Options {
	if o.Lifetime <= 0 {
		o.Lifetime = lifetime
	}
	o.Lifetime = max(o.Lifetime, time.Second)
	if o.LogSize <= 0 {
		o.LogSize = defaultLogSize
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}
