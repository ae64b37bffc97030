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
	// keepsPath says that tokens come from other paths than the usual one, and values
	// take the place of placeholders that only this provider knows.
	keepsPath bool
	values    map[string]string
	// family is the id of the refresh tokens that it rotates, empty where it has none.
	family string
	url    string
	stop   func()
	down   atomic.Bool
}

// startProviders makes and starts the four stand-ins.
func startProviders() ([]*provider, error) {
	options := func(lifetime time.Duration) standin.Options {
		return standin.Options{
			Lifetime:  lifetime,
			AnyClient: func(_, secret string) bool { return secret == clientSecret },
		}
	}
	const short, medium, long = 12 * time.Second, 20 * time.Second, 30 * time.Second
	people := options(short) // The one that asks people.
	people.Rotation, people.DeviceInterval = &standin.Rotation{}, time.Second
	all := []*provider{
		{name: "Syncronex", host: "identity.syncronex.com", lifetime: medium, server: standin.NewSyncronex(options(medium))},
		{name: "Syncplicity", host: "api.syncplicity.com", lifetime: long, server: standin.NewSyncplicity(options(long))},
		{name: "RFC 6749", host: "login.example.com", lifetime: short, server: standin.NewOAuth(people)},
		newSynqly(options(medium)),
	}
	for _, p := range all {
		var err error
		if p.url, p.stop, err = p.server.Listen(); err != nil {
			return nil, fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	return all, nil
}

// newSynqly makes the stand-in for Synqly, and the first pair of an organization token
// there, as an administrator would.
func newSynqly(options standin.Options) *provider {
	server := standin.NewSynqly(options)
	token := server.MintOrganizationToken(standin.OrganizationOptions{Name: "demo", TTL: options.Lifetime})
	return &provider{
		name: "Synqly", host: "api.synqly.com", lifetime: options.Lifetime, server: server, keepsPath: true, family: token.ID,
		values: map[string]string{"put-your-token-id-here": token.ID, "put-your-refresh-token-here": token.RefreshSecret},
	}
}

// endpoint is where the stand-in has the endpoint of a field that the real one has at a
// path.
func (p *provider) endpoint(field, path string) string {
	switch {
	case p.keepsPath:
		return p.url + path
	case field == "deviceAuthorizationURL":
		return p.url + standin.DeviceAuthorizationPath
	}
	return p.url + standin.TokenPath
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

// rotations is how often the provider has given another refresh token. whole says that
// none that was spent was sent again, which is what a lost one would come to.
func (p *provider) rotations() (count int64, whole bool) {
	family := p.server.Family(p.family)
	return family.Refreshes, !family.Revoked && family.Reuses+family.Refusals == 0
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
	syncronex, syncplicity, plain, synqly := providers[0], providers[1], providers[2], providers[3]
	return []credential{
		{"web", "acme-news", "app_acme_news_prod", syncronex},
		{"web", "files", appKey, syncplicity},
		{"web", "orders-api", "orders-worker", plain},
		{"web", "orders", "platform", plain},
		{"web", "calendar", "calendar-sync", plain},
		{"billing", "invoices", "billing-invoices", plain},
		{"billing", "ledger", "app_ledger", syncronex},
		{"search", "documents", "search-documents", syncplicity},
		{"search", "index", "search-index", plain},
		{"siem", "organization", synqly.family, synqly},
		{"siem", "integration", "acct-17/int-42", synqly},
	}
}
