package standin

import (
	"html"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
)

// consent is what a client asks a person for (RFC 6749 section 4.1.1).
type consent struct {
	clientID, scope, state, challenge string
	// redirectURI is where the answer goes; sent is what the client named, empty
	// when it named none.
	redirectURI, sent string
}

// parse takes a consent from the query. problem is what makes it impossible to
// answer by a redirect, fault what is answered by one, as an error code.
func (s *Server) parse(query url.Values) (asked consent, problem, fault string) {
	asked = consent{
		clientID: query.Get("client_id"), scope: query.Get("scope"), state: query.Get("state"),
		challenge: query.Get("code_challenge"), sent: query.Get("redirect_uri"),
	}
	for name, values := range query {
		if len(values) > 1 && name != "resource" && name != "audience" {
			return asked, "a parameter occurs twice", ""
		}
		if name != "client_id" && slices.Contains(credentials(), name) {
			s.broken.add(SecretInURL, name, asked.clientID)
		}
	}
	asked.redirectURI = asked.sent
	if asked.sent == "" && len(s.options.RedirectURIs) > 0 {
		asked.redirectURI = s.options.RedirectURIs[0]
	}
	method := query.Get("code_challenge_method")
	switch {
	case asked.clientID == "":
		return asked, "client_id is missing", ""
	case !s.knowsID(asked.clientID):
		return asked, "the client is unknown", ""
	case asked.redirectURI == "":
		return asked, "redirect_uri is missing", ""
	case !s.mayRedirect(asked.redirectURI):
		return asked, "redirect_uri is not registered", ""
	case query.Get("response_type") == "":
		return asked, "", "invalid_request"
	case query.Get("response_type") != "code":
		return asked, "", "unsupported_response_type"
	case asked.challenge != "" && (method != "S256" || !regexp.MustCompile(challengeForm).MatchString(asked.challenge)):
		s.broken.add(WrongPKCE, "code_challenge", asked.clientID)
		return asked, "", "invalid_request"
	case s.checkScope(asked.scope) != nil:
		return asked, "", "invalid_scope"
	}
	return asked, "", ""
}

// mayRedirect says whether answers may go to an address.
func (s *Server) mayRedirect(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme == "" || parsed.Host == "" || parsed.Fragment != "" || parsed.User != nil {
		return false
	}
	return len(s.options.RedirectURIs) == 0 || slices.ContainsFunc(s.options.RedirectURIs, func(registered string) bool {
		return registered == address || withoutPort(registered) == withoutPort(address) && withoutPort(address) != ""
	})
}

// withoutPort returns an address on loopback without its port, and nothing for any
// other one (RFC 8252 section 7.3).
func withoutPort(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "http" {
		return ""
	}
	if ip, err := netip.ParseAddr(parsed.Hostname()); err != nil || !ip.IsLoopback() {
		return ""
	}
	parsed.Host = parsed.Hostname()
	return parsed.String()
}

// serveConsent shows what a client asks for, and sends the person back with a code
// or with an error.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	if !isPage(w, r) {
		return
	}
	asked, problem, fault := s.parse(r.URL.Query())
	switch {
	case problem != "":
		s.show(w, http.StatusBadRequest, "Bad request", "<p>"+problem+"</p>")
	case fault != "":
		s.sendBack(w, r, asked, url.Values{"error": {fault}})
	default:
		s.consent(w, r, asked)
	}
}

// serveApigeeConsent is serveConsent with the errors of an Apigee gateway, which does
// not redirect them.
func (s *Server) serveApigeeConsent(w http.ResponseWriter, r *http.Request) {
	if !isPage(w, r) {
		return
	}
	asked, problem, fault := s.parse(r.URL.Query())
	if fault != "" {
		problem = "response_type, code_challenge or scope is wrong"
	}
	if problem == "" {
		s.consent(w, r, asked)
		return
	}
	status, code, description := http.StatusBadRequest, "invalid_request", problem
	switch {
	case asked.clientID == "":
		description = "The request is missing a required parameter : client_id"
	case !s.knowsID(asked.clientID):
		status, description = http.StatusUnauthorized, "Invalid client id : "+asked.clientID+". ClientId is Invalid"
	case asked.redirectURI == "":
		description = "Redirection URI is required"
	case !s.mayRedirect(asked.redirectURI):
		description = "Invalid redirection uri " + asked.redirectURI
	case !r.URL.Query().Has("response_type"):
		description = "The request is missing a required parameter : response_type"
	case r.URL.Query().Get("response_type") != "code":
		description = "Response type must be code"
	}
	s.total.outcomes[Shown].Add(1)
	s.write(w, status, s.dialect.failure(nil, code, description))
}

// consent asks the person, or does what was decided.
func (s *Server) consent(w http.ResponseWriter, r *http.Request, asked consent) {
	if r.Method != http.MethodPost {
		s.show(w, http.StatusOK, "Sign in", `<p>The client <b id="client">`+html.EscapeString(asked.clientID)+
			`</b> asks for <b id="scope">`+html.EscapeString(asked.scope)+`</b>.</p><form method="post">`+buttons+"</form>")
		return
	}
	switch decide(w, r) {
	case allowed:
		s.total.outcomes[Consented].Add(1)
		name := s.issueCode(&code{
			clientID: asked.clientID, scope: asked.scope, challenge: asked.challenge, redirectURI: asked.sent,
		})
		s.sendBack(w, r, asked, url.Values{"code": {name}})
	case denied:
		s.total.outcomes[Withheld].Add(1)
		s.sendBack(w, r, asked, url.Values{"error": {"access_denied"}})
	case undecided:
		s.show(w, http.StatusBadRequest, "Bad request", "<p>The form has no decision.</p>")
	}
}

// sendBack redirects to the client with an answer. 303 makes a browser forget that it
// has sent a form.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, asked consent, answer url.Values) {
	if asked.state != "" {
		answer.Set("state", asked.state)
	}
	if s.options.SendIssuer {
		answer.Set("iss", baseURL(r))
	}
	separator := "?"
	if parsed, err := url.Parse(asked.redirectURI); err == nil && parsed.RawQuery != "" {
		separator = "&"
	}
	w.Header().Set("Location", asked.redirectURI+separator+answer.Encode())
	w.Header().Set("Cache-Control", "no-store")
	s.date(w.Header())
	w.WriteHeader(http.StatusSeeOther)
}

// baseURL is where the server is, as the client sees it.
func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
