package issuance

import (
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
)

// Turn is what the gate has to know of any request of a credential in a namespace.
func Turn(namespace string, plan *resolve.Plan) gate.Request {
	return gate.Request{
		Key:       plan.Line(),
		Limits:    limits(plan.Limits()),
		Namespace: namespace,
		Common:    plan.SharesLine(),
		Client:    plan.ClientKey(),
		Shared:    plan.SharesClient(),
	}
}

// Replacing is a turn of a request that replaces a token which is still good.
func Replacing(turn gate.Request, held lifetime.Token) gate.Request {
	turn.Held, turn.ExpiresAt = true, held.ExpiresAt
	turn.Patience = held.Lifetime() / 10
	return turn
}

// Retries is how often in a row the provider itself has failed a credential, by the
// reason and the count of the last failures.
func Retries(reason string, count int) int {
	switch reason {
	case v1alpha1.ReasonProviderUnreachable, v1alpha1.ReasonRateLimited, v1alpha1.ReasonProviderRejected, v1alpha1.ReasonInvalidResponse:
		return count
	}
	return 0
}

// Policy is when a token is to be replaced, by the credential and its provider, nil where
// that is not known. useBy is when the grant has to be used at the latest, zero where it
// need not.
func Policy(credential *v1alpha1.OAuthCredential, plan *resolve.Plan, useBy time.Time) lifetime.Policy {
	policy := lifetime.Policy{UseBy: useBy}
	refresh := credential.Spec.Refresh
	if refresh.AfterPercent != nil {
		policy.AfterPercent = int(*refresh.AfterPercent)
	}
	if refresh.Before != nil {
		policy.Before = refresh.Before.Duration
	}
	if plan != nil {
		policy.Reissue = lifetime.Reissue(plan.Endpoint.TokenReissue)
		if plan.Endpoint.Timeout != nil {
			policy.Timeout = plan.Endpoint.Timeout.Duration
		}
	}
	return policy
}

func limits(declared v1alpha1.Limits) gate.Limits {
	var limits gate.Limits
	if declared.MaxConcurrentRequests != nil {
		limits.MaxConcurrent = int(*declared.MaxConcurrentRequests)
	}
	if declared.Requests != nil && declared.Period != nil {
		limits.Requests, limits.Period = int(*declared.Requests), declared.Period.Duration
	}
	if declared.Burst != nil {
		limits.Burst = int(*declared.Burst)
	}
	return limits
}
