package standin

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// besideOAuth finds what plain OAuth serves beside tokens.
func besideOAuth(r *http.Request) func(*Server, http.ResponseWriter, *http.Request) {
	switch r.URL.Path {
	case AuthorizePath:
		return (*Server).serveConsent
	case DevicePath:
		return (*Server).serveDevicePage
	case DeviceAuthorizationPath:
		return func(s *Server, w http.ResponseWriter, r *http.Request) {
			s.serveClient(w, r, Started, s.startDevice)
		}
	case RevocationPath:
		return func(s *Server, w http.ResponseWriter, r *http.Request) {
			s.serveClient(w, r, Revoked, s.revoke)
		}
	case MetadataPath:
		return (*Server).serveMetadata
	}
	return nil
}

// serveClient answers a request of a client that authenticates as it does for a
// token. It is counted by its outcome only.
func (s *Server) serveClient(w http.ResponseWriter, r *http.Request, outcome Outcome, act func(*request, time.Time) ([]byte, *refusal)) {
	req := s.read(r)
	refused := checkForm(req, s.inspect(req))
	if refused == nil && !s.knows(req) {
		refused = unauthorized(req, s.whyUnknown(req))
	}
	var body []byte
	settle := func() []byte {
		if refused == nil {
			body, refused = act(req, s.options.Clock())
		}
		if refused != nil {
			outcome, body = refused.outcome, s.dialect.failure(nil, refused.code, refused.description)
		}
		return body
	}
	behavior := s.behaviorFor(req.clientID, occasion{path: r.URL.Path})
	switch {
	case behavior != nil && !wait(r, behavior.Delay):
		s.count(req, Abandoned)
		return
	case behavior != nil && behavior.Fault != NoFault:
		s.count(req, behavior.Fault.Outcome())
		s.misbehave(w, req, behavior, settle)
		return
	}
	settle()
	s.count(req, outcome)
	status := http.StatusOK
	if refused != nil {
		status = refused.status
		maps.Copy(w.Header(), refused.header)
	}
	s.write(w, status, body)
}

// revoke is RFC 7009. With a refresh token its family is revoked; an access token is
// taken back alone. To a token that is not known there is nothing to do.
func (s *Server) revoke(req *request, now time.Time) ([]byte, *refusal) {
	token := req.form.get("token")
	if token == "" {
		return nil, invalid("invalid_request", "token is missing")
	}
	t, ok := s.sealer.open(token)
	if !ok {
		return nil, nil
	}
	if t.clientID != req.clientID {
		return nil, invalidGrant("the token is that of another client")
	}
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	if t.kind == accessKind {
		maps.DeleteFunc(s.grants.withdrawn, func(_ [sha256.Size]byte, expiresAt time.Time) bool {
			return !now.Before(expiresAt)
		})
		s.grants.withdrawn[sha256.Sum256([]byte(token))] = t.expiresAt
	} else if f := s.grants.families[t.family]; f != nil {
		f.withdraw(now)
	}
	return nil, nil
}

// serveMetadata is RFC 8414, for an issuer without a path.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	s.total.outcomes[Shown].Add(1)
	base, grantTypes := baseURL(r), []string{"client_credentials", "authorization_code", deviceGrant}
	if s.options.Rotation != nil {
		grantTypes = append(grantTypes, "refresh_token")
	}
	methods := []string{"client_secret_basic", "client_secret_post", "none"}
	if s.options.Assertion != nil {
		methods = append(methods, "private_key_jwt")
	}
	described := map[string]any{
		"issuer":                                         base,
		"authorization_endpoint":                         base + AuthorizePath,
		"token_endpoint":                                 base + TokenPath,
		"device_authorization_endpoint":                  base + DeviceAuthorizationPath,
		"revocation_endpoint":                            base + RevocationPath,
		"response_types_supported":                       []string{"code"},
		"grant_types_supported":                          grantTypes,
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          methods,
		"authorization_response_iss_parameter_supported": s.options.SendIssuer,
	}
	if len(s.options.Scopes) > 0 {
		described["scopes_supported"] = slices.Clone(s.options.Scopes)
	}
	body, err := json.Marshal(described)
	if err != nil {
		panic(err) // strings and truths encode
	}
	s.write(w, http.StatusOK, body)
}
