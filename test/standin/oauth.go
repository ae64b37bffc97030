package standin

import (
	"net/http"
	"strings"
	"time"
)

// plainOAuth talks as RFC 6749 says.
func plainOAuth(options Options) dialect {
	return dialect{
		lifetime:       time.Hour,
		rotates:        true,
		strictCodes:    true,
		requestHeaders: usualHeaders("Authorization"),
		header: http.Header{
			"Content-Type":  {"application/json"},
			"Cache-Control": {"no-store"},
			"Pragma":        {"no-cache"},
		},
		throttled: `{"error":"temporarily_unavailable"}`,
		beside:    besideOAuth,
		identify: func(req *request) {
			identifyOAuth(req)
			if options.Assertion != nil && req.form.has("client_assertion") {
				identifyAssertion(req, options.Assertion)
			}
		},
		check:   checkOAuth,
		success: oauthSuccess,
		failure: rfcFailure,
	}
}

// identifyOAuth undoes the form encoding in the header. What cannot be decoded
// has no secret.
func identifyOAuth(req *request) {
	id, secret, ok := basic(req.http.Header)
	if !ok {
		req.clientID, req.secret = req.form.get("client_id"), req.form.get("client_secret")
		return
	}
	if req.clientID, req.secret, ok = unescapePair(id, secret); !ok {
		req.clientID, req.secret, req.undecodable = id, "", true
	}
}

// identifyAssertion takes the client from its assertion, and holds the client_id
// against it where there is one (RFC 7521 section 4.2).
func identifyAssertion(req *request, whose func(string) (clientID, problem string)) {
	if req.form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		req.doubt = "client_assertion_type is not that of a JWT"
		return
	}
	id, problem := whose(req.form.get("client_assertion"))
	req.doubt = problem
	if req.clientID == "" {
		req.clientID = id
	}
	req.vouched = problem == ""
}

// invalid is what plain OAuth answers to a request that makes no sense.
func invalid(code, problem string) *refusal {
	return &refusal{http.StatusBadRequest, code, problem, nil, Malformed, problem}
}

// checkOAuth follows section 5.2 of RFC 6749.
func checkOAuth(s *Server, req *request, malformed string) *refusal {
	grantType := req.form.get("grant_type")
	if refused := checkForm(req, malformed); refused != nil {
		return refused
	}
	switch {
	case grantType == "":
		return invalid("invalid_request", "grant_type is missing")
	case !s.knows(req):
		return unauthorized(req, s.whyUnknown(req))
	case s.spends(req):
		return s.checkSpent(req)
	case grantType == "client_credentials":
	case s.options.Grant == nil:
		return invalid("unsupported_grant_type", "the grant type is not client_credentials")
	default:
		if problem := s.options.Grant(grantType, req.form.values()); problem != "" {
			return invalidGrant(problem)
		}
	}
	return s.checkScope(req.form.get("scope"))
}

// spends says whether the request brings a grant that it uses up, and lets it do so
// in its time.
func (s *Server) spends(req *request) bool {
	switch req.form.get("grant_type") {
	case "authorization_code":
		req.spend = func(now time.Time) (grant, *refusal) {
			return s.redeem(req, now, func(_, problem string) *refusal { return invalidGrant(problem) })
		}
	case deviceGrant:
		req.spend = func(now time.Time) (grant, *refusal) { return s.poll(req, now) }
	case "refresh_token":
		if s.options.Rotation != nil {
			req.spend = func(now time.Time) (grant, *refusal) { return s.refresh(req, now) }
		}
	}
	return req.spend != nil
}

// checkSpent wants the parameter that holds the grant.
func (s *Server) checkSpent(req *request) *refusal {
	name := map[string]string{
		"authorization_code": "code", deviceGrant: "device_code", "refresh_token": "refresh_token",
	}[req.form.get("grant_type")]
	if req.form.get(name) == "" {
		return invalid("invalid_request", name+" is missing")
	}
	return s.checkScope(req.form.get("scope"))
}

// checkForm looks at what every request of a client has in common.
func checkForm(req *request, malformed string) *refusal {
	authorization := req.http.Header.Get("Authorization")
	_, _, isBasic := basic(req.http.Header)
	bodyID := req.form.get("client_id")
	switch {
	case req.http.Method != http.MethodPost:
		allow := http.Header{"Allow": {http.MethodPost}}
		return &refusal{http.StatusMethodNotAllowed, "invalid_request", malformed, allow, Malformed, malformed}
	case malformed != "":
		return invalid("invalid_request", malformed)
	case authorization != "" && !isBasic:
		return unauthorized(req, "the Authorization header is not Basic")
	case isBasic && req.form.has("client_secret"):
		return invalid("invalid_request", "the client authenticates twice")
	case isBasic && bodyID != "" && bodyID != req.clientID:
		return invalid("invalid_request", "client_id differs from the Authorization header")
	}
	return nil
}

// knows says whether the client has proved who it is.
func (s *Server) knows(req *request) bool {
	return req.vouched || !req.undecodable && req.clientID != "" && req.doubt == "" && s.accepts(req.clientID, req.secret)
}

// whyUnknown says what is wrong with a client that is not accepted.
func (s *Server) whyUnknown(req *request) string {
	if req.doubt != "" {
		return req.doubt
	}
	if id, secret, ok := basic(req.http.Header); ok && s.accepts(id, secret) {
		return "id and secret are not form-encoded in the header"
	}
	return "the client or its secret is wrong"
}

// unauthorized is 401, with a challenge where the client used the header.
func unauthorized(req *request, problem string) *refusal {
	refused := &refusal{http.StatusUnauthorized, "invalid_client", "client authentication failed", nil, Rejected, problem}
	if req.http.Header.Get("Authorization") != "" {
		refused.header = http.Header{"Www-Authenticate": {`Basic realm="standin"`}}
	}
	return refused
}

// checkScope refuses a scope that the options do not list.
func (s *Server) checkScope(scope string) *refusal {
	if len(s.options.Scopes) == 0 || within(scope, strings.Join(s.options.Scopes, " ")) {
		return nil
	}
	return &refusal{http.StatusBadRequest, "invalid_scope", "the scope is unknown", nil, Rejected, "the scope is unknown"}
}

// oauthSuccess is section 5.1 of RFC 6749. Unlike the others it tells the whole
// lifetime.
func oauthSuccess(dst []byte, g grant) []byte {
	dst = appendString(append(dst, `{"access_token":`...), g.token)
	dst = append(dst, `,"token_type":"Bearer"`...)
	switch {
	case g.expiresIn == nil:
		dst = appendNumber(append(dst, `,"expires_in":`...), int64(g.expiresAt.Sub(g.issuedAt)/time.Second), false)
	case len(g.expiresIn) > 0:
		dst = append(append(dst, `,"expires_in":`...), g.expiresIn...)
	}
	if g.refreshToken != "" {
		dst = appendString(append(dst, `,"refresh_token":`...), g.refreshToken)
	}
	if g.refreshSeconds > 0 {
		dst = appendNumber(append(dst, `,"refresh_token_expires_in":`...), g.refreshSeconds, false)
	}
	if g.scope != "" {
		dst = appendString(append(dst, `,"scope":`...), g.scope)
	}
	return append(dst, '}')
}
