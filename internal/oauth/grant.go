package oauth

import (
	"net/http"
	"slices"
	"time"
)

// The grants that matter here (RFC 6749 sections 4.1.3, 4.4.2 and 6, RFC 8628
// section 3.4, RFC 8693 section 2.1).
const (
	grantClientCredentials = "client_credentials"
	grantAuthorizationCode = "authorization_code"
	grantRefreshToken      = "refresh_token"
	grantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
	grantTokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// The codes of a grant that is not over yet, and of one that is (RFC 8628
// section 3.5).
const (
	codePending  = "authorization_pending"
	codeSlowDown = "slow_down"
	codeExpired  = "expired_token"
	codeDenied   = "access_denied"
)

// slowDown is by how much slow_down lengthens the interval of the poll (RFC 8628
// section 3.5).
const slowDown = 5 * time.Second

// isSpent tells whether what a grant rests on may be of use only once.
func isSpent(grantType string) bool {
	return slices.Contains([]string{grantRefreshToken, grantAuthorizationCode, grantDeviceCode}, grantType)
}

// isPending tells whether a code means that a person has not decided yet.
func isPending(code string) bool {
	return code == codePending || code == codeSlowDown
}

// polls tells whether the request asks what a person at another device has done.
func (x *exchange) polls() bool {
	return x.role == roleToken && x.request.GrantType == grantDeviceCode
}

// isUndecided tells whether an endpoint that answers with this status may have
// acted on the request. With 429 and 503 it says that it did not.
func isUndecided(status int) bool {
	switch status {
	case http.StatusRequestTimeout:
		return true
	case http.StatusServiceUnavailable:
		return false
	default:
		return status < http.StatusOK || status >= http.StatusInternalServerError
	}
}

// refusesGrant tells whether an answer with this code, which may be empty, says
// that what the grant rests on is of no use any more.
func (x *exchange) refusesGrant(r *reading, code string, status int) bool {
	switch {
	case x.role != roleToken, isUndecided(status), status == http.StatusServiceUnavailable,
		status == http.StatusTooManyRequests:
		return false
	case code == "invalid_grant":
		// Some servers say so of a client (see refusal).
		return x.request.GrantType != grantClientCredentials
	case x.polls() && (code == codeExpired || code == codeDenied):
		return true
	case IsKnownCode(code), !isSpent(x.request.GrantType):
		return false
	default:
		return r.isForeign() && slices.Contains(
			[]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}, status)
	}
}

// isForeign tells whether the answer is of an endpoint that speaks no OAuth: its
// provider says where else codes or tokens are, and it is no page of a firewall.
func (r *reading) isForeign() bool {
	return r.json && (r.mapped(NameError) || r.mapped(NameAccessToken))
}

// grantHint returns what to look at when the endpoint does not take the grant.
func (r Request) grantHint() string {
	switch {
	case r.Assertion != nil:
		return "Check jwtBearer: that the provider knows the public key by the same key ID, and takes its issuer, subject " +
			"and audience."
	case r.GrantType == grantTokenExchange:
		return "Check tokenExchange: the provider has to trust who issued its tokens, they have to be meant for it, and may " +
			"not have expired."
	case r.GrantType == grantRefreshToken:
		return "The refresh token has expired, was revoked or used up, or belongs to another client. A person has to " +
			"authorize the client again."
	case r.GrantType == grantAuthorizationCode:
		return "The code has expired, which may take only seconds, was used before, or was issued for another client, " +
			"redirect URI or code verifier. Log in again."
	case r.GrantType == grantDeviceCode:
		return "The device code has expired, was used before, or was issued for another client. Log in again."
	default:
		return "What the grant rests on is no longer valid, or belongs to another client."
	}
}
