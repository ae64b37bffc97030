package oauthcredential

import (
	"errors"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// failure is what went wrong, as a user is told and as the schedule needs it.
type failure struct {
	reason     string
	class      lifetime.Class
	message    string
	retryAfter time.Duration
	// code is the OAuth error code, for metrics.
	code string
	// answered says that the provider has answered.
	answered bool
	// beside says that it does not concern what the token comes from.
	beside bool
}

// stalling are the reasons that need a person: no schedule mends them. A missing
// source is not among them, because whoever applies a credential together with
// the thing that makes its Secret should not be told that all is lost.
var stalling = map[string]bool{
	v1alpha1.ReasonProviderRejected:    true,
	v1alpha1.ReasonEgressDenied:        true,
	v1alpha1.ReasonInvalidKey:          true,
	v1alpha1.ReasonInvalidRequest:      true,
	v1alpha1.ReasonSecretConflict:      true,
	v1alpha1.ReasonSecretRejected:      true,
	v1alpha1.ReasonSourceSecretRefused: true,

	v1alpha1.ReasonNamespaceNotAllowed:   true,
	v1alpha1.ReasonNotAllowedByProvider:  true,
	v1alpha1.ReasonIncompatibleProvider:  true,
	v1alpha1.ReasonInvalidExpression:     true,
	v1alpha1.ReasonServiceAccountRefused: true,
	v1alpha1.ReasonTokenConflict:         true,

	v1alpha1.ReasonAuthorizationRequired: true,
	v1alpha1.ReasonRefreshTokenLost:      true,
	v1alpha1.ReasonRefreshTokenConflict:  true,
}

// tokenFailure reads the error of a token request.
func tokenFailure(err error) *failure {
	var e *oauth.Error
	if !errors.As(err, &e) {
		return &failure{
			reason:  v1alpha1.ReasonProviderUnreachable,
			class:   lifetime.Transient,
			message: "the token request failed",
		}
	}
	return &failure{
		reason:     resolve.Reason(e.Kind),
		class:      e.Class,
		message:    e.Error(),
		retryAfter: e.RetryAfter,
		code:       e.Code,
		answered:   e.Status != 0,
	}
}

// lifetimeFailure reads the error of an answer whose lifetime makes no sense. Where
// a token is held, it may be that token, answered until the moment it expires: then
// the next one is moments away.
func lifetimeFailure(err error, held lifetime.Token) *failure {
	class := lifetime.Protocol
	if !held.ExpiresAt.IsZero() {
		class = lifetime.Transient
	}
	return &failure{
		reason:  v1alpha1.ReasonInvalidResponse,
		class:   class,
		message: "The answer of the token endpoint cannot be used: " + err.Error() + ". See lifetime in the spec of the provider.",
	}
}

// internalFailure is a bug of ours.
func internalFailure() *failure {
	return &failure{
		reason:  v1alpha1.ReasonInternalError,
		class:   lifetime.Protocol,
		message: "The operator failed to make the token request, which is a bug in it: please report it with the operator's log",
	}
}

// sourceFailure tells what a person can mend, and what ails the provider, from an API
// server that is in trouble.
func sourceFailure(err error) (*failure, error) {
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
		return &failure{reason: reason, class: lifetime.Configuration, message: source.Error()}, nil
	case errors.As(err, &spec):
		failed := specFailure(spec)
		if spec.Reason == v1alpha1.ReasonServiceAccountRefused {
			failed.class = lifetime.Protocol // No watch tells of its consent.
		}
		return failed, nil
	case errors.As(err, &issuer):
		return tokenFailure(issuer), nil
	}
	return nil, err
}

// writeFailure tells a Secret that the API server refuses from an API server that
// is in trouble.
func writeFailure(err error) (*failure, error) {
	return refusedWrite(err, "check spec.secret, and the quota and admission rules of the namespace; "+
		"the token is kept and written as soon as it is let through")
}

// grantWriteFailure is writeFailure for the Secret of a grant, before anything was sent.
func grantWriteFailure(err error) (*failure, error) {
	return refusedWrite(err, "check the quota and the admission rules of the namespace; nothing is sent before the grant can be stored")
}

// refusedWrite is what a refused Secret says, with an advice; or else the error.
func refusedWrite(err error, advice string) (*failure, error) {
	var e *secretstore.RejectedError
	if !errors.As(err, &e) {
		return nil, err
	}
	// Quotas and admission rules change unseen, and trying again costs no token.
	return &failure{reason: v1alpha1.ReasonSecretRejected, class: lifetime.Transient, message: e.Error() + ": " + advice}, nil
}
