package standin

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server stands in for one authorization server. It is safe for concurrent use.
type Server struct {
	options  Options
	dialect  dialect
	sealer   sealer
	lifetime atomic.Int64

	mu         sync.RWMutex
	registered map[string]string
	behaviors  atomic.Pointer[[]*armed]
	grants     grants

	total                  tally
	inFlight, mostInFlight atomic.Int64
	seen                   clients
	log                    requestLog
	broken                 violations

	ownClock bool
	buffers  sync.Pool
}

// NewSyncronex stands in for identity.syncronex.com: client_secret_post, the
// tenant as scope, a numeric expires_in beside .issued and .expires, and status
// 400 with invalid_grant for everything that is wrong.
func NewSyncronex(options Options) *Server {
	return newServer(options, syncronex())
}

// NewSyncplicity stands in for api.syncplicity.com: Basic with the raw key and
// secret, the Sync-App-Token header, answers that are all strings, and errors in
// the shape of an Apigee gateway; authorization codes too, for which nothing but
// key and secret is wanted.
func NewSyncplicity(options Options) *Server {
	return newServer(options, syncplicity())
}

// NewOAuth is an authorization server by RFC 6749: client_secret_basic
// (form-encoded), client_secret_post, none, and assertions (RFC 7523) if
// Options.Assertion knows them; authorization codes with PKCE, device codes, refresh
// tokens if there is a Rotation, and revocation.
func NewOAuth(options Options) *Server {
	return newServer(options, plainOAuth(options))
}

// NewSynqly stands in for the token API of api.synqly.com: integration tokens for
// the bearer of an organization token, which is one of MintOrganizationToken or any
// that another server with the same Key has issued; organization tokens that are
// refreshed in pairs; JSON in both directions, and errors that are problems.
func NewSynqly(options Options) *Server {
	return newServer(options, synqly(options))
}

func newServer(options Options, d dialect) *Server {
	ownClock := options.Clock != nil
	if options.CodeLifetime <= 0 {
		options.CodeLifetime = d.codeLifetime
	}
	if !d.rotates {
		options.Rotation = nil
	}
	options = options.withDefaults(d.lifetime)
	sealer, err := newSealer(options.Key)
	if err != nil {
		panic(err) // the key has the right size and the system's randomness does not fail
	}
	d.requestHeaders = append(d.requestHeaders, canonical(options.Headers)...)
	s := &Server{options: options, dialect: d, sealer: sealer, ownClock: ownClock, grants: newGrants()}
	s.registered = maps.Clone(options.Clients)
	if s.registered == nil {
		s.registered = map[string]string{}
	}
	s.lifetime.Store(int64(options.Lifetime))
	s.log.ring = make([]Request, options.LogSize)
	s.buffers.New = func() any { return new([]byte) }
	return s
}

// SetClient registers a client or gives it another secret.
func (s *Server) SetClient(id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registered[id] = secret
}

// SetLifetime gives the tokens that are issued from now on another lifetime, of at least
// a second.
func (s *Server) SetLifetime(lifetime time.Duration) {
	s.lifetime.Store(int64(max(lifetime, time.Second)))
}

// RemoveClient forgets a client. Its tokens stay good.
func (s *Server) RemoveClient(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.registered, id)
}

// knowsID says whether there is such a client, as far as that can be said without
// its secret.
func (s *Server) knowsID(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.registered[id]
	return ok || id != "" && s.options.AnyClient != nil
}

// accepts says whether the secret is that of the client.
func (s *Server) accepts(id, secret string) bool {
	s.mu.RLock()
	known, ok := s.registered[id]
	s.mu.RUnlock()
	if ok {
		return known == secret
	}
	return s.options.AnyClient != nil && s.options.AnyClient(id, secret)
}

// Check says whether an access token was issued here, or by a server with the same
// key, has not expired, and was not taken back here, nor its family.
func (s *Server) Check(token string) (clientID string, expiresAt time.Time, ok bool) {
	t, ok := s.check(token)
	return t.clientID, t.expiresAt, ok
}

// check is Check with all that the token says of itself.
func (s *Server) check(token string) (t ticket, ok bool) {
	t, ok = s.sealer.open(token)
	if !ok || t.kind != accessKind {
		return ticket{}, false
	}
	return t, s.options.Clock().Before(t.expiresAt) && s.stands(token, t)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.asksForToken(r):
		s.serveToken(w, r)
	case r.URL.Path == TrapPath:
		s.total.outcomes[Trapped].Add(1)
		s.broken.add(FollowedRedirect, r.Method, "")
		http.Error(w, "nobody follows a redirect with a secret", http.StatusTeapot)
	case strings.HasPrefix(r.URL.Path, ResourcePrefix):
		s.serveResource(w, r)
	default:
		if s.dialect.beside != nil {
			if serve := s.dialect.beside(r); serve != nil {
				serve(s, w, r)
				return
			}
		}
		s.total.outcomes[NotFound].Add(1)
		http.NotFound(w, r)
	}
}

// asksForToken says whether a request is one for a token.
func (s *Server) asksForToken(r *http.Request) bool {
	if s.dialect.endpoint != nil {
		return s.dialect.endpoint(r)
	}
	return r.URL.Path == TokenPath
}

// serveToken answers one token request.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.inFlight.Add(-1)

	req := s.read(r)
	req.client.arrive(&s.total, req.at)
	refused := s.dialect.check(s, req, s.inspect(req))
	behavior := s.behaviorFor(req.clientID, occasion{})
	if behavior == nil {
		s.answer(w, req, refused, nil)
		return
	}
	if !wait(r, behavior.Delay) {
		s.record(req, Abandoned, refused)
		return
	}
	if behavior.Fault == NoFault {
		s.answer(w, req, refused, behavior.ExpiresIn)
		return
	}
	s.record(req, behavior.Fault.Outcome(), refused)
	s.misbehave(w, req, behavior, func() []byte {
		given, refused := s.act(req, refused, behavior.ExpiresIn)
		return s.body(nil, given, refused)
	})
}

// enter counts a request that is under way.
func (s *Server) enter() {
	now := s.inFlight.Add(1)
	for most := s.mostInFlight.Load(); now > most; most = s.mostInFlight.Load() {
		if s.mostInFlight.CompareAndSwap(most, now) {
			return
		}
	}
}

// wait lets the delay pass and says whether the client is still there.
func wait(r *http.Request, delay time.Duration) bool {
	if delay <= 0 {
		return true
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// grant makes the token, or finds the one that the client has.
func (s *Server) grant(req *request, expiresIn json.RawMessage) grant {
	now := s.options.Clock()
	if s.options.Same {
		return req.client.same(now, func() grant { return s.issue(req, now, expiresIn) })
	}
	return s.issue(req, now, expiresIn)
}

// issue makes a new token.
func (s *Server) issue(req *request, now time.Time, expiresIn json.RawMessage) grant {
	given := s.newGrant(req.clientID, req.form.get("scope"), now)
	given.token = s.sealer.seal(ticket{clientID: req.clientID, issuedAt: now, expiresAt: given.expiresAt})
	given.expiresIn = expiresIn
	return given
}

// newGrant is one that still lacks its token.
func (s *Server) newGrant(clientID, scope string, now time.Time) grant {
	lifetime := time.Duration(s.lifetime.Load())
	return grant{
		clientID: clientID, scope: scope,
		issuedAt: now, expiresAt: now.Add(lifetime),
		seconds: wholeSeconds(lifetime),
	}
}

// write sends an answer with the headers of the system.
func (s *Server) write(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	for name, values := range s.dialect.header {
		if _, set := header[name]; !set {
			header[name] = values
		}
	}
	s.date(header)
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

// date makes the Date header agree with a clock that is not the machine's.
func (s *Server) date(header http.Header) {
	if s.ownClock {
		header["Date"] = []string{s.options.Clock().UTC().Format(http.TimeFormat)}
	}
}
