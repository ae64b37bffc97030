package issuance

import (
	"errors"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// Failure is what went wrong, as a user is told and as the schedule needs it.
type Failure struct {
	// Reason is one of the reasons of the Ready condition.
	Reason     string
	Class      lifetime.Class
	Message    string
	RetryAfter time.Duration
	// Code is the OAuth error code, for metrics.
	Code string
	// Answered says that the provider has answered.
	Answered bool
	// Beside says that it does not concern what the token comes from.
	Beside bool
	// Source tells which source is missing or refused, nil where none is.
	Source *resolve.SourceError
}

// InternalFailure is a bug of ours: of the operator, or of the sidecar.
func InternalFailure(program string) *Failure {
	return &Failure{
		Reason: v1alpha1.ReasonInternalError,
		Class:  lifetime.Protocol,
		Message: "The " + program + " failed to make the token request, which is a bug in it: please report it with the " +
			program + "'s log",
	}
}

// TokenFailure reads the error of a token request.
func TokenFailure(err error) *Failure {
	var e *oauth.Error
	if !errors.As(err, &e) {
		return &Failure{
			Reason:  v1alpha1.ReasonProviderUnreachable,
			Class:   lifetime.Transient,
			Message: "the token request failed",
		}
	}
	return &Failure{
		Reason:     resolve.Reason(e.Kind),
		Class:      e.Class,
		Message:    e.Error(),
		RetryAfter: e.RetryAfter,
		Code:       e.Code,
		Answered:   e.Status != 0,
	}
}

// lifetimeFailure reads the error of an answer whose lifetime makes no sense. Where
// a token is held, it may be that token, answered until the moment it expires: then
// the next one is moments away.
func lifetimeFailure(err error, held lifetime.Token) *Failure {
	class := lifetime.Protocol
	if !held.ExpiresAt.IsZero() {
		class = lifetime.Transient
	}
	return &Failure{
		Reason:  v1alpha1.ReasonInvalidResponse,
		Class:   class,
		Message: "The answer of the token endpoint cannot be used: " + err.Error() + ". See lifetime in the spec of the provider.",
	}
}

// SourceFailure tells what a person can mend, and what ails the provider, from an API
// server that is in trouble.
func SourceFailure(err error) (*Failure, error) {
	var (
		source *resolve.SourceError
		spec   *resolve.SpecError
		issuer *oauth.Error
	)
	switch {
	case errors.As(err, &source):
		reason := v1alpha1.ReasonSourceSecretMissing
		if source.Problem == resolve.Forbidden {
			reason = v1alpha1.ReasonSourceSecretRefused
		}
		return &Failure{Reason: reason, Class: lifetime.Configuration, Message: source.Error(), Source: source}, nil
	case errors.As(err, &spec):
		failed := SpecFailure(spec)
		if spec.Reason == v1alpha1.ReasonServiceAccountRefused {
			failed.Class = lifetime.Protocol // No watch tells of its consent.
		}
		return failed, nil
	case errors.As(err, &issuer):
		return TokenFailure(issuer), nil
	}
	return nil, err
}

// SpecFailure is a mistake in the spec of a credential or of its provider.
func SpecFailure(e *resolve.SpecError) *Failure {
	return &Failure{Reason: e.Reason, Class: lifetime.Configuration, Message: e.Error()}
}

// WriteFailure tells a Secret that the API server refuses, with an advice, from an API
// server that is in trouble.
func WriteFailure(err error, advice string) (*Failure, error) {
	var e *secretstore.RejectedError
	if !errors.As(err, &e) {
		return nil, err
	}
	// Quotas and admission rules change unseen, and trying again costs no token.
	return &Failure{Reason: v1alpha1.ReasonSecretRejected, Class: lifetime.Transient, Message: e.Error() + ": " + advice}, nil
}
