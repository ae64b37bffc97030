package oauthcredential

import (
	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
)

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

// writeFailure tells a Secret that the API server refuses from an API server that
// is in trouble.
func writeFailure(err error) (*issuance.Failure, error) {
	return issuance.WriteFailure(err, "check spec.secret, and the quota and admission rules of the namespace; "+
		"the token is kept and written as soon as it is let through")
}

// grantWriteFailure is writeFailure for the Secret of a grant, before anything was sent.
func grantWriteFailure(err error) (*issuance.Failure, error) {
	return issuance.WriteFailure(err, "check the quota and the admission rules of the namespace; nothing is sent before the grant can be stored")
}
