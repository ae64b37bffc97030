package standin

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// invalidGrant is what plain OAuth answers to a grant that is not good.
func invalidGrant(problem string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_grant", "the grant is not good", nil, Rejected, problem}
}

// refresh is section 6 of RFC 6749. It judges and rotates in one step, so that of two
// requests at once one is the first.
func (s *Server) refresh(req *request, now time.Time) (grant, *refusal) {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	t, ok := s.sealer.open(req.form.get("refresh_token"))
	f := s.grants.families[t.family]
	switch {
	case !ok || f == nil || t.kind != refreshKind:
		return grant{}, invalidGrant("the refresh token is none of ours")
	case t.clientID != req.clientID:
		return grant{}, invalidGrant("the refresh token is that of another client")
	}
	scope := f.scope
	if asked := req.form.get("scope"); asked != "" {
		if f.scope != "" && !within(asked, f.scope) {
			const problem = "the scope exceeds that of the refresh token"
			return grant{}, &refusal{http.StatusBadRequest, "invalid_scope", problem, nil, Rejected, problem}
		}
		scope = asked
	}
	switch s.stateOf(f, t, now) {
	case TokenCurrent:
		f.note(now, Refreshed, t.generation)
		if !s.options.Rotation.KeepStatic {
			f.generation, f.used, f.usedAt = t.generation+1, int64(t.serial), now
		}
	case TokenPrevious:
		f.retries++
		f.note(now, Retried, t.generation)
	case TokenStale:
		f.reuses++
		f.note(now, Reused, t.generation)
		f.withdraw(now)
		return grant{}, invalidGrant("the refresh token was used before; its family is revoked now")
	case TokenExpired:
		f.refusals++
		f.note(now, Refused, t.generation)
		return grant{}, invalidGrant("the refresh token has expired")
	case TokenRevoked, TokenUnknown:
		f.refusals++
		f.note(now, Refused, t.generation)
		return grant{}, invalidGrant("the family of the refresh token is revoked")
	}
	f.refreshes++
	given := s.accessGrant(f, scope, now)
	if !s.options.Rotation.KeepStatic {
		f.serial++
		s.addRefreshToken(&given, f, now)
	}
	return given, nil
}

// within says whether all of the scopes are among others.
func within(scopes, others string) bool {
	all := strings.Fields(others)
	for scope := range strings.FieldsSeq(scopes) {
		if !slices.Contains(all, scope) {
			return false
		}
	}
	return true
}

// accessGrant is an access token of the family. The caller holds the lock.
func (s *Server) accessGrant(f *family, scope string, now time.Time) grant {
	given := s.newGrant(f.clientID, scope, now)
	given.token = s.sealer.seal(ticket{
		clientID: f.clientID, issuedAt: now, expiresAt: given.expiresAt,
		family: f.id, generation: f.generation, serial: f.serial,
	})
	return given
}

// addRefreshToken adds one to a grant, with the rest of its life where that is told.
// The caller holds the lock.
func (s *Server) addRefreshToken(given *grant, f *family, now time.Time) {
	given.refreshToken = s.refreshToken(f, now)
	given.refreshSeconds = int64(s.options.Rotation.RefreshTokenExpiresIn / time.Second)
}

// firstGrant is what a person has consented to: an access token, and where the server
// has them the first refresh token of a new family. The caller holds the lock.
func (s *Server) firstGrant(clientID, scope string, now time.Time) (grant, *family) {
	f := s.newFamily(clientID, scope, now)
	given := s.accessGrant(f, scope, now)
	if s.options.Rotation != nil {
		s.addRefreshToken(&given, f, now)
	}
	return given, f
}
