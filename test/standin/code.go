package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"time"
)

// verifierForm is that of RFC 7636 section 4.1, and challengeForm that of a SHA-256
// in section 4.2.
const (
	verifierForm  = `^[A-Za-z0-9._~-]{43,128}$`
	challengeForm = `^[A-Za-z0-9_-]{43}$`
)

// code is an authorization code that was given away.
type code struct {
	clientID, scope, challenge string
	// redirectURI is what the client named, empty when it named none.
	redirectURI string
	expiresAt   time.Time
	// family is that of the tokens which the code was spent for.
	family *family
}

// issueCode remembers a new code, and forgets those that have expired.
func (s *Server) issueCode(c *code) string {
	now := s.options.Clock()
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	for old, other := range s.grants.codes {
		if !now.Before(other.expiresAt) {
			delete(s.grants.codes, old)
		}
	}
	name := rand.Text()
	c.expiresAt = now.Add(s.options.CodeLifetime)
	s.grants.codes[name] = c
	return name
}

// redeem spends an authorization code (RFC 6749 section 4.1.3). A code that is spent
// twice takes all tokens back that it was spent for. refuse makes the answer, by the
// parameter that is wrong.
func (s *Server) redeem(req *request, now time.Time, refuse func(parameter, problem string) *refusal) (grant, *refusal) {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	c := s.grants.codes[req.form.get("code")]
	switch {
	case req.form.get("code") == "":
		return grant{}, refuse("code", "code is missing")
	case c == nil || c.clientID != req.clientID:
		return grant{}, refuse("code", "the code is none of ours for this client")
	case !now.Before(c.expiresAt):
		return grant{}, refuse("code", "the code has expired")
	case c.family != nil:
		c.family.reuses++
		c.family.note(now, Reused, 0)
		c.family.withdraw(now)
		return grant{}, refuse("code", "the code was used before; its tokens are revoked now")
	case !s.fitsRedirect(req.form.get("redirect_uri"), c.redirectURI):
		return grant{}, refuse("redirect_uri", "redirect_uri is not that of the code")
	}
	if problem := s.checkVerifier(req, c); problem != "" {
		return grant{}, refuse("code_verifier", problem)
	}
	given, family := s.firstGrant(c.clientID, c.scope, now)
	c.family = family
	return given, nil
}

// fitsRedirect says whether redirect_uri is the one that the code was asked for with.
func (s *Server) fitsRedirect(sent, asked string) bool {
	return sent == asked || !s.dialect.strictCodes && (sent == "" || asked == "")
}

// checkVerifier holds the verifier against the challenge of the code. Where PKCE is
// not demanded it does so only if the client takes part.
func (s *Server) checkVerifier(req *request, c *code) (problem string) {
	verifier := req.form.get("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case !s.dialect.strictCodes && (c.challenge == "" || verifier == ""):
		return ""
	case c.challenge == "":
		problem = "the code was asked for without a code_challenge"
	case verifier == "":
		problem = "code_verifier is missing"
	case !regexp.MustCompile(verifierForm).MatchString(verifier):
		problem = "code_verifier is malformed"
	case base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge:
		problem = "code_verifier is wrong"
	default:
		return ""
	}
	s.broken.add(WrongPKCE, "code_verifier", req.clientID)
	return problem
}
