package oauthcredential

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// claims are who wants which token, of providers where a new token ends the one before:
// two credentials that ask for the same would take it from each other for ever. It is
// safe for concurrent use.
type claims struct {
	mu    sync.Mutex
	known bool
	byKey map[string]map[types.UID]claim
	keys  map[types.UID]string
}

// claim is one credential's.
type claim struct {
	name    types.NamespacedName
	created time.Time
	// held says that the credential has had the token.
	held bool
}

// bars tells whether a claim keeps another one from the token. One of another
// namespace does so only once it has had the token: else anybody who knows a client's
// id could keep others from it.
func (c claim) bars(other claim) bool {
	return c.before(other) && (c.held || c.name.Namespace == other.name.Namespace)
}

// before orders claims: the older credential has the token, then the name decides.
func (c claim) before(other claim) bool {
	if !c.created.Equal(other.created) {
		return c.created.Before(other.created)
	}
	return c.name.String() < other.name.String()
}

func newClaims() claims {
	return claims{byKey: map[string]map[types.UID]claim{}, keys: map[types.UID]string{}}
}

// set notes that a credential wants the token with this key, empty for none that must
// not be shared. It answers the older claim on it, if there is one, and whom a change
// concerns: who else wanted the token that the credential gives up, and who wants the
// one that it has come to want.
func (c *claims) set(credential *v1alpha1.OAuthCredential, key string) (older *claim, concerned []types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine := claim{name: keyOf(credential), created: credential.CreationTimestamp.Time, held: credential.Status.IssuedAt != nil}
	switch was := c.keys[credential.UID]; {
	case was != key:
		concerned = c.remove(credential.UID)
		concerned = append(concerned, c.names(key)...)
	case key != "" && c.byKey[key][credential.UID].held != mine.held:
		concerned = c.names(key)
	}
	if key == "" {
		return nil, concerned
	}
	if c.byKey[key] == nil {
		c.byKey[key] = map[types.UID]claim{}
	}
	c.keys[credential.UID], c.byKey[key][credential.UID] = key, mine
	for uid, other := range c.byKey[key] {
		if uid != credential.UID && other.bars(mine) && (older == nil || other.before(*older)) {
			older = &other
		}
	}
	return older, concerned
}

// isKnown tells whether the claims of all credentials have been noted once.
func (c *claims) isKnown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// setKnown says that they have.
func (c *claims) setKnown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = true
}

// release drops the claim of a credential that is gone, and answers who else wanted
// the token.
func (c *claims) release(uid types.UID) []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remove(uid)
}

// remove drops a claim. The caller holds the lock.
func (c *claims) remove(uid types.UID) []types.NamespacedName {
	key, ok := c.keys[uid]
	if !ok {
		return nil
	}
	delete(c.keys, uid)
	delete(c.byKey[key], uid)
	if len(c.byKey[key]) == 0 {
		delete(c.byKey, key)
	}
	return c.names(key)
}

// names are those who want a token. The caller holds the lock.
func (c *claims) names(key string) []types.NamespacedName {
	var names []types.NamespacedName
	for _, claim := range c.byKey[key] {
		names = append(names, claim.name)
	}
	return names
}
