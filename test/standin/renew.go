package standin

import (
	"maps"
	"net/http"
	"time"
)

// bearer is what is known of the secret that a request to Synqly came with.
type bearer struct {
	ticket
	// family is nil for a token of another server with the same key.
	family *family
	state  TokenState
}

// bearerOf judges the secret of a request. The caller holds the lock.
func (s *Server) bearerOf(req *request, now time.Time) (b bearer, problem string) {
	t, ok := s.sealer.open(req.secret)
	if !ok {
		return bearer{}, "the bearer is no secret of ours"
	}
	b = bearer{ticket: t, family: s.grants.families[t.family], state: TokenCurrent}
	if b.family != nil {
		b.state = s.stateOf(b.family, t, now)
	} else if !now.Before(t.expiresAt) {
		b.state = TokenExpired
	}
	switch b.state {
	case TokenCurrent, TokenPrevious:
		return b, ""
	case TokenStale:
		b.family.reuses++
		b.family.note(now, Reused, t.generation)
	case TokenExpired, TokenRevoked, TokenUnknown:
		if b.family != nil {
			b.family.refusals++
			b.family.note(now, Refused, t.generation)
		}
	}
	return b, "the bearer is " + b.state.String()
}

// administers says whether a bearer may manage the tokens of an owner. Tokens of other
// servers are those of administrators.
func (b bearer) administers(owner string) bool {
	if b.kind != accessKind {
		return false
	}
	return b.family == nil || b.family.organization.ownerID == owner && b.family.organization.permissionSet == administrator
}

// mayRenew says whether a bearer may do so with an organization token: its own refresh
// secret may refresh and reset, an administrator may rotate and reset.
func (b bearer) mayRenew(f *family, does task) bool {
	own := b.family == f && b.kind == refreshKind
	return own && does != rotating || does != refreshing && b.administers(f.organization.ownerID)
}

// renewOrganization gives an organization token a new primary pair. It judges and
// acts in one step, so that of two requests at once one is the first.
func (s *Server) renewOrganization(req *request, to route, malformed string, now time.Time) (grant, *refusal) {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	by, why := s.bearerOf(req, now)
	if why == "" && to.does == refreshing && by.kind != refreshKind {
		why = "the bearer is no refresh secret"
	}
	if why != "" {
		return grant{}, problem(http.StatusUnauthorized, why)
	}
	f := s.grants.families[to.client]
	switch {
	case malformed != "":
		return grant{}, problem(http.StatusBadRequest, malformed)
	case f == nil || f.revoked || to.owner != "" && f.organization.ownerID != to.owner:
		return grant{}, problem(http.StatusNotFound, "there is no such token")
	case !by.mayRenew(f, to.does):
		return grant{}, problem(http.StatusForbidden, "the bearer may not do that")
	}
	o := f.organization
	f.generation++
	f.serial++
	switch {
	case to.does == resetting:
		f.note(now, WasReset, by.generation)
		o.secondary, o.ends = nil, now.Add(o.lasts)
	case to.does == rotating:
		f.note(now, Rotated, by.generation)
		o.secondary = o.primary
	case by.state == TokenPrevious:
		f.refreshes++
		f.retries++
		f.note(now, Retried, by.generation)
		o.secondary = o.primary
	default:
		f.refreshes++
		f.note(now, Refreshed, by.generation)
		o.secondary = o.primary
	}
	s.newPair(f, now)
	return grant{body: result(f.shape(true))}, nil
}

// serveOrganization manages organization tokens where no pair is issued. It is counted
// by its outcome only.
func (s *Server) serveOrganization(w http.ResponseWriter, r *http.Request) {
	req, to := s.read(r), synqlyRoute(r)
	malformed := s.inspect(req)
	body, refused := s.manage(req, to, malformed)
	switch {
	case refused != nil:
		s.count(req, refused.outcome)
		maps.Copy(w.Header(), refused.header)
		s.write(w, refused.status, s.dialect.failure(nil, refused.code, refused.description))
	case body == nil:
		s.count(req, Managed)
		s.date(w.Header())
		w.WriteHeader(http.StatusNoContent)
	default:
		s.count(req, Managed)
		s.write(w, http.StatusOK, body)
	}
}

// manage lists, tells or deletes; without a body there is nothing to tell.
func (s *Server) manage(req *request, to route, malformed string) ([]byte, *refusal) {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	now := s.options.Clock()
	by, why := s.bearerOf(req, now)
	if why == "" && by.kind != accessKind {
		why = "the bearer is no access secret"
	}
	f := s.grants.families[to.client]
	switch {
	case why != "":
		return nil, problem(http.StatusUnauthorized, why)
	case malformed != "":
		return nil, problem(http.StatusBadRequest, malformed)
	case to.does == listing:
		return s.listOrganization(by)
	case f == nil || f.revoked:
		return nil, problem(http.StatusNotFound, "there is no such token")
	case by.family != f && !by.administers(f.organization.ownerID):
		return nil, problem(http.StatusForbidden, "the bearer may not do that")
	}
	if to.does == looking {
		return result(f.shape(false)), nil
	}
	if to.does == deleting {
		f.withdraw(now)
		return nil, nil
	}
	f.organization.secondary, f.organization.updatedAt = nil, now
	f.note(now, Retired, f.generation)
	return nil, nil
}

// listOrganization lists what the bearer may manage. The caller holds the lock.
func (s *Server) listOrganization(by bearer) ([]byte, *refusal) {
	list := []organizationShape{}
	for _, f := range s.grants.order {
		if !f.revoked && by.administers(f.organization.ownerID) {
			list = append(list, f.shape(false))
		}
	}
	if by.family != nil && !by.administers(by.family.organization.ownerID) {
		return nil, problem(http.StatusForbidden, "the bearer may not do that")
	}
	return result(list), nil
}
