package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// clientSecret is the one that all providers know. Samples hold placeholders.
const clientSecret = "kept-by-a-secret-manager"

// provider is a stand-in for a provider.
type provider struct {
	name     string
	host     string // of the real one
	lifetime time.Duration
	server   *standin.Server
	url      string
	stop     func()
	down     atomic.Bool
}

// providers makes and starts the three stand-ins.
func startProviders() ([]*provider, error) {
	options := func(lifetime time.Duration) standin.Options {
		return standin.Options{
			Lifetime:  lifetime,
			AnyClient: func(_, secret string) bool { return secret == clientSecret },
		}
	}
	const short, medium, long = 12 * time.Second, 20 * time.Second, 30 * time.Second
	all := []*provider{
		{name: "Syncronex", host: "identity.syncronex.com", lifetime: medium, server: standin.NewSyncronex(options(medium))},
		{name: "Syncplicity", host: "api.syncplicity.com", lifetime: long, server: standin.NewSyncplicity(options(long))},
		{name: "RFC 6749", host: "login.example.com", lifetime: short, server: standin.NewOAuth(options(short))},
	}
	for _, p := range all {
		var err error
		if p.url, p.stop, err = p.server.Listen(); err != nil {
			return nil, fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	return all, nil
}

// fail has every request answered by an error, until recover.
func (p *provider) fail() {
	p.down.Store(true)
	p.server.Misbehave(standin.Behavior{Fault: standin.Respond})
}

func (p *provider) recover() {
	p.server.Behave()
	p.down.Store(false)
}

// issued is how many tokens a client was given.
func (p *provider) issued(clientID string) int64 {
	return p.server.CountsOf(clientID).Outcomes[standin.Issued]
}

// credential is a credential of the demo, and the client id by which its provider
// knows it.
type credential struct {
	namespace, name, clientID string
	provider                  *provider
}

func (c credential) key() string { return c.namespace + "/" + c.name }

// credentials are those of the samples and of more.yaml.
func credentials(providers []*provider) []credential {
	syncronex, syncplicity, plain := providers[0], providers[1], providers[2]
	return []credential{
		{"web", "acme-news", "app_acme_news_prod", syncronex},
		{"web", "files", appKey, syncplicity},
		{"web", "orders-api", "orders-worker", plain},
		{"web", "orders", "platform", plain},
		{"billing", "invoices", "billing-invoices", plain},
		{"billing", "ledger", "app_ledger", syncronex},
		{"search", "documents", "search-documents", syncplicity},
		{"search", "index", "search-index", plain},
	}
}
