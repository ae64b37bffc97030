package resolve

import (
	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
)

// Reason is the reason of a condition for a failed token request.
func Reason(kind oauth.Kind) string {
	switch kind {
	case oauth.KindUnreachable:
		return v1alpha1.ReasonProviderUnreachable
	case oauth.KindRateLimited:
		return v1alpha1.ReasonRateLimited
	case oauth.KindRejected:
		return v1alpha1.ReasonProviderRejected
	case oauth.KindInvalidResponse:
		return v1alpha1.ReasonInvalidResponse
	case oauth.KindEgressDenied:
		return v1alpha1.ReasonEgressDenied
	case oauth.KindInvalidKey:
		return v1alpha1.ReasonInvalidKey
	case oauth.KindInvalidRequest:
		return v1alpha1.ReasonInvalidRequest
	case oauth.KindPending:
		return v1alpha1.ReasonAuthorizationRequired
	case oauth.KindInvalidExpression:
		return v1alpha1.ReasonInvalidExpression
	}
	return v1alpha1.ReasonInternalError
}
