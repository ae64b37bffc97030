package standin

import (
	"slices"
	"strings"
	"sync"
)

// Rule names a thing that no well-behaved client does.
type Rule string

// The rules.
const (
	// SecretTwice: the secret is both in the header and in the body.
	SecretTwice Rule = "secret in two places"
	// SecretInURL: a credential is in the URL, where every log keeps it.
	SecretInURL Rule = "secret in the URL"
	// UnknownHeader: a header that the documented request does not have, a
	// hop-by-hop one for example.
	UnknownHeader Rule = "unknown header"
	// UnknownParameter: a parameter that the documented request does not have.
	UnknownParameter Rule = "unknown parameter"
	// DuplicateParameter: a parameter that may occur once occurs twice.
	DuplicateParameter Rule = "duplicate parameter"
	// WrongMethod: not POST, or not the other method that is documented.
	WrongMethod Rule = "wrong method"
	// WrongContentType: not application/x-www-form-urlencoded.
	WrongContentType Rule = "wrong content type"
	// MalformedBody: not a form, or far too long.
	MalformedBody Rule = "malformed body"
	// Chunked: the request does not announce its length.
	Chunked Rule = "chunked request"
	// WrongPKCE: the verifier of an authorization code is missing, malformed or wrong,
	// or its challenge is not S256 (RFC 7636).
	WrongPKCE Rule = "wrong PKCE"
	// PolledTooFast: a device code was polled again before the interval had passed
	// (RFC 8628 section 3.5).
	PolledTooFast Rule = "polled too fast"
	// UnwantedBody: a body where the documented request has none.
	UnwantedBody Rule = "unwanted body"
	// FollowedRedirect: the client followed a redirect with its request.
	FollowedRedirect Rule = "followed a redirect"
)

// Violation counts the requests that broke a rule.
type Violation struct {
	Rule  Rule
	Count int64
	// Detail is the name of the header, parameter or method that broke it last,
	// never a value.
	Detail string
	// ClientID is who broke it last.
	ClientID string
}

// violations is what is known about broken rules.
type violations struct {
	mu     sync.Mutex
	byRule map[Rule]Violation
}

func (v *violations) add(rule Rule, detail, clientID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.byRule == nil {
		v.byRule = map[Rule]Violation{}
	}
	v.byRule[rule] = Violation{
		Rule:     rule,
		Count:    v.byRule[rule].Count + 1,
		Detail:   shorten(detail),
		ClientID: shorten(clientID),
	}
}

// shorten copies what a request said, so that neither a long one nor the rest of
// the request stays in memory.
func shorten(text string) string {
	const longest = 256
	return strings.Clone(text[:min(len(text), longest)])
}

// Violations returns which rules were broken, ordered by their names; it is
// empty when every client behaved well.
func (s *Server) Violations() []Violation {
	s.broken.mu.Lock()
	defer s.broken.mu.Unlock()
	var list []Violation
	for _, violation := range s.broken.byRule {
		list = append(list, violation)
	}
	slices.SortFunc(list, func(a, b Violation) int { return strings.Compare(string(a.Rule), string(b.Rule)) })
	return list
}
