// Package report has what the parties of the end-to-end suite tell, as JSON.
package report

import (
	"net/http"
	"strconv"
	"time"
)

// Provider is what became of the requests to a provider.
type Provider struct {
	// TokenRequests counts those to both token endpoints, by standin.Outcome.
	TokenRequests map[string]int64 `json:"token_requests"`
	// ResourceRequests counts those to the protected service, by HTTP status.
	ResourceRequests map[string]int64 `json:"resource_requests"`
	// LastProblem is what was wrong with the latest token request that was refused for
	// something. It has no secret in it.
	LastProblem string `json:"last_problem,omitempty"`
}

// Consumer is what a consumer has seen.
type Consumer struct {
	// Calls counts the answers of the protected service, or of a proxy, by HTTP status.
	Calls map[string]int `json:"calls"`
	// Unanswered counts the calls that had none: no connection, a time-out.
	Unanswered int `json:"unanswered"`
	// Waits counts how often there was no token before the first one, and Missing how often
	// after it.
	Waits   int `json:"waits"`
	Missing int `json:"missing"`
	// FirstError and LastError are what went wrong after the first token was there: a call
	// that was not accepted, or a token that was missing.
	FirstError *Error `json:"first_error,omitempty"`
	LastError  *Error `json:"last_error,omitempty"`
	// Tokens has each token once, in the order in which they were seen.
	Tokens []Token `json:"tokens"`
}

// Error is something that went wrong.
type Error struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Token is one that a consumer had. What is not known of it is zero.
type Token struct {
	// Hash tells it from others. It is empty where a proxy adds the token.
	Hash string `json:"hash,omitempty"`
	// IssuedAt and ExpiresAt are by the provider, and known once a call was accepted.
	IssuedAt  time.Time `json:"issued_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// SeenAt is when the app had it; AcceptedAt when it had the first answer that it was
	// good for.
	SeenAt     time.Time `json:"seen_at"`
	AcceptedAt time.Time `json:"accepted_at,omitzero"`
	// Accepted counts the calls with it that were.
	Accepted int `json:"accepted"`
}

// Refused is how many calls were answered with 401.
func (c Consumer) Refused() int { return c.Calls[strconv.Itoa(http.StatusUnauthorized)] }

// Accepted is how many calls were answered with 200.
func (c Consumer) Accepted() int { return c.Calls[strconv.Itoa(http.StatusOK)] }

// AcceptedTokens are those that a call was accepted with.
func (c Consumer) AcceptedTokens() []Token {
	var accepted []Token
	for _, token := range c.Tokens {
		if token.Accepted > 0 {
			accepted = append(accepted, token)
		}
	}
	return accepted
}

// Delay is how long the token took from its issue to the app.
func (t Token) Delay() time.Duration { return t.SeenAt.Sub(t.IssuedAt) }
