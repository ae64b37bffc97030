package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

const longestHistory = 256

// family is what is remembered of the tokens that follow from one login.
type family struct {
	id, clientID, scope string
	// generation is that of the current tokens, serial the number of the one that
	// was issued last.
	generation, serial uint32
	// used is the serial number of the token that the current ones were answered
	// for, and usedAt when that was used first; -1 where none was yet.
	used      int64
	usedAt    time.Time
	refreshes int64
	retries   int64
	reuses    int64
	refusals  int64
	revoked   bool
	last      string
	history   []FamilyEvent
	// organization is what else an organization token of Synqly has; nil for OAuth.
	organization *organization
}

// note adds to the history.
func (f *family) note(now time.Time, action FamilyAction, generation uint32) {
	if len(f.history) == longestHistory {
		f.history = append(f.history[:0], f.history[1:]...)
	}
	f.history = append(f.history, FamilyEvent{Time: now, Action: action, Generation: int(generation)})
}

// withdraw revokes the family, once.
func (f *family) withdraw(now time.Time) {
	if f.revoked {
		return
	}
	f.revoked = true
	f.note(now, Withdrawn, f.generation)
}

func (f *family) snapshot() FamilyState {
	return FamilyState{
		ID: f.id, ClientID: f.clientID, Scope: f.scope,
		Generation: int(f.generation),
		Refreshes:  f.refreshes, Retries: f.retries, Reuses: f.reuses, Refusals: f.refusals,
		Revoked: f.revoked, LastToken: f.last,
		History: append([]FamilyEvent(nil), f.history...),
	}
}

// grants is what has to be remembered for grants that rotate, are spent or can be
// revoked. Families are kept as long as the server.
type grants struct {
	mu       sync.RWMutex
	families map[string]*family
	order    []*family
	codes    map[string]*code
	devices  map[string]*device
	// withdrawn holds the access tokens that were revoked one by one, by their
	// hashes, with the instants at which they would have expired.
	withdrawn map[[sha256.Size]byte]time.Time
	// withdrawnUntil is when all access tokens that had been issued were taken back; zero
	// where that never happened.
	withdrawnUntil time.Time
}

func newGrants() grants {
	return grants{
		families:  map[string]*family{},
		codes:     map[string]*code{},
		devices:   map[string]*device{},
		withdrawn: map[[sha256.Size]byte]time.Time{},
	}
}

// found begins a family. The caller holds the lock.
func (g *grants) found(f *family, now time.Time) *family {
	f.used = -1
	f.note(now, Minted, 0)
	g.families[f.id] = f
	g.order = append(g.order, f)
	return f
}

// stands says whether nobody has taken an access token back. Of families of other
// servers with the same key nothing is known.
func (s *Server) stands(token string, t ticket) bool {
	s.grants.mu.RLock()
	defer s.grants.mu.RUnlock()
	if len(s.grants.withdrawn) > 0 {
		if _, gone := s.grants.withdrawn[sha256.Sum256([]byte(token))]; gone {
			return false
		}
	}
	f := s.grants.families[t.family]
	switch {
	case !t.issuedAt.After(s.grants.withdrawnUntil):
		return false
	case t.family == "" || f == nil:
		return true
	case f.organization != nil:
		return !f.revoked && f.organization.holds(t.serial) != TokenStale
	default:
		return !f.revoked
	}
}

// stateOf judges a refresh token of the family. The caller holds the lock.
func (s *Server) stateOf(f *family, t ticket, now time.Time) TokenState {
	rotation := s.options.Rotation
	if rotation == nil {
		rotation = &Rotation{}
	}
	switch {
	case f.revoked:
		return TokenRevoked
	case !now.Before(t.expiresAt):
		return TokenExpired
	case f.organization != nil:
		return f.organization.holds(t.serial)
	case rotation.KeepStatic || t.generation == f.generation:
		return TokenCurrent
	case rotation.Grace == GracePrevious && int64(t.serial) == f.used &&
		(rotation.GraceFor == 0 || now.Before(f.usedAt.Add(rotation.GraceFor))):
		return TokenPrevious
	}
	return TokenStale
}

// refreshToken makes one of the current generation. The caller holds the lock.
func (s *Server) refreshToken(f *family, now time.Time) string {
	expires := never()
	if rotation := s.options.Rotation; rotation != nil && rotation.RefreshTokenExpiresIn > 0 {
		expires = now.Add(rotation.RefreshTokenExpiresIn)
	}
	f.last = s.sealer.seal(ticket{
		kind: refreshKind, clientID: f.clientID, issuedAt: now, expiresAt: expires,
		family: f.id, generation: f.generation, serial: f.serial,
	})
	return f.last
}

// newFamily begins a family of plain tokens. The caller holds the lock.
func (s *Server) newFamily(clientID, scope string, now time.Time) *family {
	return s.grants.found(&family{id: strings.ToLower(rand.Text()), clientID: clientID, scope: scope}, now)
}

// MintRefreshToken returns the first refresh token of a new family for a client, as
// a login would, good for the scopes; without any it is good for every scope. It
// panics where there is no Rotation.
func (s *Server) MintRefreshToken(clientID string, scopes ...string) string {
	if s.options.Rotation == nil {
		panic("a server without Rotation has no refresh tokens")
	}
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	now := s.options.Clock()
	return s.refreshToken(s.newFamily(clientID, strings.Join(scopes, " "), now), now)
}

// StateOf says what a refresh token is good for now; presenting it changes nothing.
// For Synqly it judges the refresh secret of an organization token: the primary pair
// is current, the secondary previous.
func (s *Server) StateOf(refreshToken string) TokenState {
	t, ok := s.sealer.open(refreshToken)
	if !ok || t.kind != refreshKind {
		return TokenUnknown
	}
	s.grants.mu.RLock()
	defer s.grants.mu.RUnlock()
	f := s.grants.families[t.family]
	if f == nil {
		return TokenUnknown
	}
	return s.stateOf(f, t, s.options.Clock())
}

// Family returns what is known of a family; nothing where there is none.
func (s *Server) Family(id string) FamilyState {
	s.grants.mu.RLock()
	defer s.grants.mu.RUnlock()
	if f := s.grants.families[id]; f != nil {
		return f.snapshot()
	}
	return FamilyState{}
}

// FamilyOf returns what is known of the family of a token, be it an access token or
// a refresh token, good or not; nothing where it has none here.
func (s *Server) FamilyOf(token string) FamilyState {
	t, ok := s.sealer.open(token)
	if !ok {
		return FamilyState{}
	}
	return s.Family(t.family)
}

// Families returns all families in the order of their first tokens.
func (s *Server) Families() []FamilyState {
	s.grants.mu.RLock()
	defer s.grants.mu.RUnlock()
	list := make([]FamilyState, 0, len(s.grants.order))
	for _, f := range s.grants.order {
		list = append(list, f.snapshot())
	}
	return list
}

// Withdraw takes back every access token that was issued until now, here or by a server
// with the same key, but only for whoever asks here. Refresh tokens stay good.
func (s *Server) Withdraw() {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	s.grants.withdrawnUntil = s.options.Clock()
}

// RevokeFamily takes all tokens of a family back and says whether there is one.
func (s *Server) RevokeFamily(id string) bool {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	f := s.grants.families[id]
	if f == nil {
		return false
	}
	f.withdraw(s.options.Clock())
	return true
}
