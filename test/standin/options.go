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
	// AuthorizePath is where a person consents to a client, by plain OAuth and
	// Syncplicity.
	AuthorizePath = "/oauth/authorize"
	// DeviceAuthorizationPath is where a client begins the device grant, by plain
	// OAuth (RFC 8628 section 3.1).
	DeviceAuthorizationPath = "/oauth/device_authorization"
	// DevicePath is where a person enters the code of a device.
	DevicePath = "/device"
	// RevocationPath is where plain OAuth takes tokens back (RFC 7009).
	RevocationPath = "/oauth/revoke"
	// MetadataPath is where plain OAuth describes itself (RFC 8414).
	MetadataPath = "/.well-known/oauth-authorization-server"
	// TrapPath is where Redirect leads when the behavior names no location. A
	// request that arrives here is a violation: a redirect was followed.
	TrapPath = "/redirected"

	defaultLogSize        = 512
	defaultCodeLifetime   = time.Minute
	defaultDeviceLifetime = 10 * time.Minute
	defaultDeviceInterval = 5 * time.Second
	maximumBody           = 16 << 10
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
	// Rotation makes plain OAuth answer refresh tokens where a person has consented,
	// and serve the refresh_token grant; nil does neither.
	Rotation *Rotation
	// RedirectURIs are those that clients may name at AuthorizePath; the port of a
	// loopback address does not matter there (RFC 8252 section 7.3). The first is
	// used where a client names none. None accepts any.
	RedirectURIs []string
	// CodeLifetime is that of authorization codes. Zero means that of the real
	// system: 30 seconds for Syncplicity, a minute for plain OAuth.
	CodeLifetime time.Duration
	// SendIssuer adds iss to the answers of AuthorizePath (RFC 9207). The issuer is
	// scheme and host of the request.
	SendIssuer bool
	// DeviceLifetime is that of device codes, ten minutes when zero; DeviceInterval
	// is how long a client must wait between two polls, in whole seconds, five when
	// zero.
	DeviceLifetime, DeviceInterval time.Duration
	// Grant is asked by plain OAuth about every grant but client_credentials,
	// authorization_code, that of device codes, and refresh_token where there is a
	// Rotation. It gets the parameters of the request and answers what is wrong with
	// them, nothing where they are good. nil refuses those grants.
	Grant func(grantType string, parameters url.Values) (problem string)
	// Assertion is asked by plain OAuth about the client_assertion of a request
	// (RFC 7523 section 2.2): whose it is, and what is wrong with it. nil refuses
	// all.
	Assertion func(assertion string) (clientID, problem string)
	// Same answers each client the same token until it expires, with the rest of
	// its life, except to grants that are spent.
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
	o.DeviceInterval = o.DeviceInterval.Truncate(time.Second)
	for _, duration := range []struct {
		of    *time.Duration
		usual time.Duration
	}{
		{&o.CodeLifetime, defaultCodeLifetime},
		{&o.DeviceLifetime, defaultDeviceLifetime},
		{&o.DeviceInterval, defaultDeviceInterval},
	} {
		if *duration.of <= 0 {
			*duration.of = duration.usual
		}
	}
	if o.LogSize <= 0 {
		o.LogSize = defaultLogSize
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}
