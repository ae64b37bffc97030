package oauth

import (
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// Kind is what went wrong, for a user.
type Kind string

// The kinds of an Error.
const (
	// KindUnreachable: no answer, or one that says that the endpoint is unwell.
	KindUnreachable Kind = "Unreachable"
	// KindRateLimited: the endpoint wants fewer requests.
	KindRateLimited Kind = "RateLimited"
	// KindPending: the device authorization grant waits for a person (RFC 8628
	// section 3.5). Nothing is wrong.
	KindPending Kind = "Pending"
	// KindRejected: the endpoint refused, with a known OAuth error code or with
	// one that a ResponseMapper found.
	KindRejected Kind = "Rejected"
	// KindInvalidResponse: an answer that cannot be used.
	KindInvalidResponse Kind = "InvalidResponse"
	// KindEgressDenied: the endpoint may not be contacted.
	KindEgressDenied Kind = "EgressDenied"
	// KindInvalidExpression: an expression of the response mapping failed.
	KindInvalidExpression Kind = "InvalidExpression"
	// KindInvalidKey: the CA bundle cannot be used.
	KindInvalidKey Kind = "InvalidKey"
	// KindInvalidRequest: no request can be made of what was given.
	KindInvalidRequest Kind = "InvalidRequest"
)

// Error is a failed request. Nothing in it can be printed that is secret, and the
// same failure gives the same texts, so that it can be written to a status.
type Error struct {
	// Kind and Class say what went wrong and when to try again.
	Kind  Kind
	Class lifetime.Class
	// Code is the error code, of OAuth (RFC 6749 section 5.2) or, unless
	// IsKnownCode, of the provider; fit to be shown, empty if the answer had
	// none.
	Code string
	// Status is the HTTP status code, 0 where there was no answer.
	Status int
	// RetryAfter is how long the endpoint asked us to wait (RFC 9110
	// section 10.2.3), at most 15 min; 0 if it did not.
	RetryAfter time.Duration
	// SlowDown is by how much longer the interval between two requests has to be
	// from now on (RFC 8628 section 3.5); 0 if it may stay.
	SlowDown time.Duration
	// Undecided tells that the endpoint may have acted on the request although
	// nobody knows: the request may have arrived, and there is no answer that was
	// read to its end, or one that says nothing about it (408, and 5xx other than
	// 503). A refresh token that was sent may be spent.
	Undecided bool
	// GrantRefused tells that what the grant rests on, such as a refresh token, is
	// of no use any more: the code is invalid_grant, or for a device code
	// expired_token or access_denied; or, with a ResponseMapper for an endpoint that
	// has no such codes, the status is 400, 401 or 403 under a grant that can be
	// spent. It is never true for client_credentials.
	GrantRefused bool
	// Description is the error_description, fit to be shown, at most 256
	// characters; empty if the answer had none.
	Description string
	// RefreshToken is that of a 2xx which could not be used otherwise; empty
	// where there was none. A provider that rotates refresh tokens takes no
	// other from now on.
	RefreshToken redact.String
	// Message is the whole story in sentences, with what to change.
	Message string

	cause error
}

// Error returns the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return "the token request failed: " + string(e.Kind)
	}

	return e.Message
}

// Unwrap returns the cause where it is one of context.Canceled,
// context.DeadlineExceeded, a syscall.Errno or an *egress.DeniedError, else
// nil: the texts of other causes hold addresses and parts of the answer.
func (e *Error) Unwrap() error {
	return e.cause
}

// invalidRequest returns the error for a request that cannot be made.
func invalidRequest(message string) *Error {
	return &Error{Kind: KindInvalidRequest, Class: lifetime.Configuration, Message: message}
}
