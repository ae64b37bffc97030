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
	byKey map[string]map[types.UID]claim
	keys  map[types.UID]string

	// noting is held while the claims of all credentials are noted, once.
	noting sync.Mutex
	noted  bool
}

// claim is one credential's.
type claim struct {
	name    types.NamespacedName
	created time.Time
}

// before orders claims: the older credential has the token, then the name decides.
func (c claim) before(other claim) bool {
	if !c.created.Equal(other.created) {
		return c.created.Before(other.created)
	}
	return c.name.String() < other.name.String()
}

func (c *claims) init() {
	c.byKey, c.keys = map[string]map[types.UID]claim{}, map[types.UID]string{}
}

// set notes that a credential wants the token with this key, empty for none that must
// not be shared. It answers the claim that goes before, if there is one, and whom a
// change concerns: those who are now the first to have a token, or no longer.
func (c *claims) set(credential *v1alpha1.OAuthCredential, key string) (older *claim, concerned []types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.keys[credential.UID] == key
	if !known {
		concerned = c.remove(credential.UID)
	}
	if key == "" {
		return nil, concerned
	}
	mine := claim{name: keyOf(credential), created: credential.CreationTimestamp.Time}
	first := c.first(key, credential.UID)
	if c.byKey[key] == nil {
		c.byKey[key] = map[types.UID]claim{}
	}
	c.keys[credential.UID], c.byKey[key][credential.UID] = key, mine
	switch {
	case first == nil:
	case first.before(mine):
		older = first
	case !known:
		concerned = append(concerned, first.name)
	}
	return older, concerned
}

// release drops the claim of a credential that is gone, and answers who is the first to
// have the token now.
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
	mine, first := c.byKey[key][uid], c.first(key, uid)
	delete(c.keys, uid)
	delete(c.byKey[key], uid)
	if len(c.byKey[key]) == 0 {
		delete(c.byKey, key)
	}
	if first == nil || first.before(mine) {
		return nil
	}
	return []types.NamespacedName{first.name}
}

// first is the claim on a token that goes before all others but that of one credential;
// nil where there is none. The caller holds the lock.
func (c *claims) first(key string, but types.UID) *claim {
	var first *claim
	for uid, other := range c.byKey[key] {
		if uid != but && (first == nil || other.before(*first)) {
			first = &other
		}
	}
	return first
}
