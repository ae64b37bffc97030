package standin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	synqlyTokens = "/v1/tokens/"
	jsonType     = "application/json"
)

// IntegrationPath is the path at which Synqly mints tokens for an integration.
func IntegrationPath(account, integration string) string {
	return synqlyTokens + account + "/" + integration
}

// OrganizationProvider is the spec of a provider of organization tokens at a URL: YAML
// for below `spec:`, whose credentials name a token_id.
func OrganizationProvider(url string) string {
	return "tokenURL: " + url + synqlyTokens + `{token_id}/refresh
  clientAuthentication: {method: none}
  request:
    method: PUT
    bodyFormat: None
    headers:
    - name: Authorization
      expression: '"Bearer " + refresh_token'
  response:
    accessToken: body.result.primary.access.secret
    expiresAt: body.result.primary.access.expires
    refreshToken: body.result.primary.refresh.secret
    tokenType: '"Bearer"'
    error: 'string(body.status)'
    errorDescription: body.message`
}

// synqly talks JSON both ways and knows nothing of RFC 6749. A client is an account
// with an integration, and its secret is a good token of the organization.
func synqly(options Options) dialect {
	options = options.withDefaults(0)
	return dialect{
		lifetime:       10 * time.Minute,
		requestHeaders: usualHeaders("Authorization"),
		header:         http.Header{"Content-Type": {jsonType}},
		throttled:      string(synqlyProblem(nil, options.Clock(), "429", "Too Many Requests")),
		endpoint: func(r *http.Request) bool {
			route := synqlyRoute(r)
			return route.does == minting || route.issues()
		},
		beside: func(r *http.Request) func(*Server, http.ResponseWriter, *http.Request) {
			if synqlyRoute(r).does == nothing {
				return nil
			}
			return (*Server).serveOrganization
		},
		identify: func(req *request) {
			req.clientID = synqlyRoute(req.http).client
			if scheme, token, _ := strings.Cut(req.http.Header.Get("Authorization"), " "); scheme == "Bearer" {
				req.secret = token
			}
		},
		form:    synqlyForm,
		check:   checkSynqly,
		success: synqlySuccess,
		failure: func(dst []byte, code, description string) []byte {
			return synqlyProblem(dst, options.Clock(), code, description)
		},
	}
}

// synqlyForm wants, of a request for an integration token, an object with the
// documented members, of which each may be left out, and of every other no body.
func synqlyForm(req *request) (broken Rule, detail, problem string) {
	if route := synqlyRoute(req.http); route.does != minting {
		switch {
		case req.http.Method != route.method:
			return WrongMethod, req.http.Method, "the method is " + req.http.Method
		case req.body != "":
			return UnwantedBody, req.http.Method, "there is a body"
		}
		return "", "", ""
	}
	if req.http.Method != http.MethodPost {
		return WrongMethod, req.http.Method, "the method is " + req.http.Method
	}
	if contentType := req.http.Header.Get("Content-Type"); contentType != jsonType {
		return WrongContentType, contentType, "the content type is not " + jsonType
	}
	var members map[string]json.RawMessage
	if !req.whole || json.Unmarshal([]byte(req.body), &members) != nil || members == nil {
		return MalformedBody, "not an object", "the body is no JSON object"
	}
	for name := range members {
		if !slices.Contains([]string{"name", "token_ttl"}, name) {
			return UnknownParameter, name, "the body has an unknown member"
		}
	}
	return "", "", ""
}

func checkSynqly(s *Server, req *request, malformed string) *refusal {
	if route := synqlyRoute(req.http); route.issues() {
		req.spend = func(now time.Time) (grant, *refusal) { return s.renewOrganization(req, route, malformed, now) }
		return nil
	}
	_, _, ok := s.Check(req.secret)
	switch {
	case !ok:
		return problem(http.StatusUnauthorized, "the bearer is no good token of the organization")
	case malformed != "":
		return problem(http.StatusBadRequest, malformed)
	}
	return nil
}

// problem is the answer to a request that is not good; what the log says of it is in
// why.
func problem(status int, why string) *refusal {
	outcome := Rejected
	if status == http.StatusBadRequest {
		outcome = Malformed
	}
	return &refusal{status, strconv.Itoa(status), http.StatusText(status), nil, outcome, why}
}

// synqlySuccess nests the token and tells the instant at which it expires.
func synqlySuccess(dst []byte, g grant) []byte {
	dst = appendString(append(dst, `{"result":{"secret":`...), g.token)
	dst = append(dst, `,"expires":"`...)
	dst = g.expiresAt.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, `","permissions":{"resources":{},"permission_set":"integration"}}}`...)
}

// synqlyProblem is the body of every error. code is the status.
func synqlyProblem(dst []byte, now time.Time, code, description string) []byte {
	dst = appendString(append(dst, `{"message":`...), description)
	dst = append(append(dst, `,"status":`...), code...)
	dst = append(dst, `,"occurred_at":"`...)
	dst = now.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, `","instance":"/v1/tokens"}`...)
}
