package oidcprovider

import (
	"encoding/json"
	"io"
	"os"
)

// Client is a registered client.
type Client struct {
	// ID may hold any visible character and spaces, and so may Secret, which is for
	// the methods that have one.
	ID, Secret string
	// Method is the registered name of the client authentication method.
	Method string
	// Algorithm is the only one that its assertions may be signed with; empty means
	// any that the method knows.
	Algorithm string
	// Keys are the public keys of private_key_jwt and, each with its certificate as
	// x5c, of self_signed_tls_client_auth, as JWKs.
	Keys []json.RawMessage
	// SubjectDN (RFC 4514) or SubjectDNS is what the certificate of tls_client_auth
	// has to be for.
	SubjectDN, SubjectDNS string
	// Scopes that the client may ask for; none means any that the server knows.
	Scopes []string
	// Grants that the client may use; none means client_credentials.
	Grants []string
	// RedirectURIs are those of authorization_code, all on the loopback interface: the
	// client is a native one, so that the port does not matter (RFC 8252 section 7.3).
	RedirectURIs []string
}

// Resource is a resource server that a client may ask a token for.
type Resource struct {
	// Identifier is an absolute URI, the value of the parameter resource.
	Identifier string
	// Scopes of the resource; a client gets those of them that it asks for.
	Scopes []string
	// Seconds is how long its access tokens live.
	Seconds int
	// JWT makes them JWTs instead of opaque.
	JWT bool
	// Failure is the class of oidc-provider's error that every request for it ends
	// with, such as TemporarilyUnavailable. One that does not exist is a fault of the
	// server; empty means that there is none.
	Failure string
}

// Issuer makes assertions that the server takes for the grants JWT bearer and token
// exchange.
type Issuer struct {
	// Name is their iss.
	Name string
	// Keys are its public keys, as JWKs.
	Keys []json.RawMessage
}

// Options configure a Provider.
type Options struct {
	// Clients that are registered, beside one that introspects tokens.
	Clients []Client
	// Resources that the server knows. The first is the one that a request
	// without a resource is for. None means one with the scopes read and write
	// and opaque tokens that live ten minutes.
	Resources []Resource
	// Issuers whose assertions the server takes.
	Issuers []Issuer
	// People lets people log in, by pages of which everybody may be anybody, so that
	// there are the grants authorization_code, device_code and refresh_token, and
	// revocation. Each refresh token is good for one use, and a second one ends all that
	// came of the login.
	People bool
	// DeviceSeconds is how long device codes live; ten minutes when zero.
	DeviceSeconds int
	// Path is that of the issuer; empty, or with a slash at its beginning only.
	Path string
	// OpenID serves the metadata where OpenID Connect Discovery has them, instead of
	// where RFC 8414 has them.
	OpenID bool
	// TLS serves https with a certificate of a private CA.
	TLS bool
	// ClientCA, in PEM, vouches for the certificates of tls_client_auth. With it,
	// which needs TLS too, the server knows the methods of RFC 8705.
	ClientCA []byte
	// Log gets the announcement of an installation; nil means standard error.
	Log io.Writer
}

const (
	introspector   = "introspector"
	defaultSeconds = 600
)

func (o Options) withDefaults() Options {
	if len(o.Resources) == 0 {
		o.Resources = []Resource{{
			Identifier: "urn:tokensync:test", Scopes: []string{"read", "write"}, Seconds: defaultSeconds,
		}}
	}
	if o.DeviceSeconds == 0 {
		o.DeviceSeconds = defaultSeconds
	}
	if o.Log == nil {
		o.Log = os.Stderr
	}
	return o
}

// settings is what server.mjs reads.
type settings struct {
	Clients      []clientSettings   `json:"clients"`
	Introspector string             `json:"introspector"`
	Scopes       []string           `json:"scopes"`
	Resources    []resourceSettings `json:"resources"`
	Issuers      []issuerSettings   `json:"issuers"`
	Path         string             `json:"path"`
	OpenID       bool               `json:"openID"`
	TLS          *tlsSettings       `json:"tls,omitempty"`
	ClientCA     string             `json:"clientCA,omitempty"`

	People        bool `json:"people"`
	DeviceSeconds int  `json:"deviceSeconds"`
}

type clientSettings struct {
	ID         string            `json:"id"`
	Secret     string            `json:"secret,omitempty"`
	Method     string            `json:"method"`
	Algorithm  string            `json:"algorithm,omitempty"`
	Keys       []json.RawMessage `json:"keys,omitempty"`
	SubjectDN  string            `json:"subjectDN,omitempty"`
	SubjectDNS string            `json:"subjectDNS,omitempty"`
	Scopes     []string          `json:"scopes,omitempty"`
	Grants     []string          `json:"grants,omitempty"`

	RedirectURIs []string `json:"redirectURIs,omitempty"`
}

type resourceSettings struct {
	Identifier string   `json:"identifier"`
	Scopes     []string `json:"scopes"`
	Seconds    int      `json:"lifetimeSeconds"`
	Format     string   `json:"format"`
	Failure    string   `json:"failure,omitempty"`
}

type issuerSettings struct {
	Name string            `json:"issuer"`
	Keys []json.RawMessage `json:"keys"`
}

type tlsSettings struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// settings translates the options; secret is that of the introspector.
func (o Options) settings(secret string) settings {
	result := settings{
		Introspector: introspector, Scopes: []string{}, Issuers: []issuerSettings{},
		Path: o.Path, OpenID: o.OpenID, ClientCA: string(o.ClientCA),
		People: o.People, DeviceSeconds: o.DeviceSeconds,
	}
	clients := append([]Client{{ID: introspector, Secret: secret, Method: "client_secret_basic"}}, o.Clients...)
	for _, client := range clients {
		result.Clients = append(result.Clients, clientSettings(client))
	}
	for _, issuer := range o.Issuers {
		result.Issuers = append(result.Issuers, issuerSettings(issuer))
	}
	for _, resource := range o.Resources {
		format := "opaque"
		if resource.JWT {
			format = "jwt"
		}
		result.Resources = append(result.Resources, resourceSettings{
			Identifier: resource.Identifier, Scopes: append([]string{}, resource.Scopes...), Seconds: resource.Seconds,
			Format: format, Failure: resource.Failure,
		})
		result.Scopes = append(result.Scopes, resource.Scopes...)
	}
	if o.People {
		result.Scopes = append(result.Scopes, "openid", "offline_access")
	}
	return result
}
