package refresh

import (
	"slices"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// result is what came of a request for a refresh.
type result int

// The results.
const (
	// pending: nothing has come of it yet.
	pending result = iota
	// blocked: nothing comes of it as long as what stands in its way is there.
	blocked
	// refreshed: there is a new token.
	refreshed
	// failed: there is none.
	failed
)

// obstacles are the reasons for which no token is asked for at all.
var obstacles = []string{
	v1alpha1.ReasonProviderNotFound,
	v1alpha1.ReasonNamespaceNotAllowed,
	v1alpha1.ReasonNotAllowedByProvider,
	v1alpha1.ReasonIncompatibleProvider,
	v1alpha1.ReasonSecretConflict,
	v1alpha1.ReasonTokenConflict,
	v1alpha1.ReasonAuthorizationRequired,
	v1alpha1.ReasonRefreshTokenLost,
	v1alpha1.ReasonRefreshTokenConflict,
}

// judge tells what came of a request, by the credential's status.
func judge(credential *v1alpha1.OAuthCredential, request string) result {
	s := &credential.Status
	// The status has the values of several annotations, separated by commas.
	if slices.Contains(strings.Split(s.LastRefreshRequest, ","), request) {
		if s.LastFailure != nil {
			return failed
		}
		return refreshed
	}
	for _, condition := range s.Conditions {
		if condition.Type == v1alpha1.ConditionStalled && slices.Contains(obstacles, condition.Reason) {
			return blocked
		}
	}
	return pending
}
