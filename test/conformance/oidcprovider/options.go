package oidcprovider

import (
	"io"
	"os"
)

// Client is a registered client.
type Client struct {
	// ID and Secret may hold any visible character and spaces.
	ID, Secret string
	// Method is client_secret_basic or client_secret_post.
	Method string
	// Scopes that the client may ask for; none means any that the server knows.
	Scopes []string
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
}

// Options configure a Provider.
type Options struct {
	// Clients that are registered, beside one that introspects tokens.
	Clients []Client
	// Resources that the server knows. The first is the one that a request
	// without a resource is for. None means one with the scopes read and write
	// and opaque tokens that live ten minutes.
	Resources []Resource
	// TLS serves https with a certificate of a private CA.
	TLS bool
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
	TLS          *tlsSettings       `json:"tls,omitempty"`
}

type clientSettings struct {
	ID     string   `json:"id"`
	Secret string   `json:"secret"`
	Method string   `json:"method"`
	Scopes []string `json:"scopes,omitempty"`
}

type resourceSettings struct {
	Identifier string   `json:"identifier"`
	Scopes     []string `json:"scopes"`
	Seconds    int      `json:"lifetimeSeconds"`
	Format     string   `json:"format"`
}

type tlsSettings struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// settings translates the options; secret is that of the introspector.
func (o Options) settings(secret string) settings {
	result := settings{Introspector: introspector, Scopes: []string{}}
	clients := append([]Client{{ID: introspector, Secret: secret, Method: "client_secret_basic"}}, o.Clients...)
	for _, client := range clients {
		result.Clients = append(result.Clients, clientSettings(client))
	}
	for _, resource := range o.Resources {
		format := "opaque"
		if resource.JWT {
			format = "jwt"
		}
		result.Resources = append(result.Resources, resourceSettings{
			Identifier: resource.Identifier, Scopes: append([]string{}, resource.Scopes...), Seconds: resource.Seconds, Format: format,
		})
		result.Scopes = append(result.Scopes, resource.Scopes...)
	}
	return result
}
