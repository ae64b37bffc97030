package grant

import (
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// Login is what a person's login leaves in the Secret of the grant: the tokens, or,
// where the person may not see the client's secret, the code that fetches them.
type Login struct {
	// ID is random.
	ID string
	// Credential is the UID of the credential that the login is for.
	Credential string
	// At is when the code or the tokens were given.
	At time.Time
	// Consent is a hash of what the person was asked to consent to.
	Consent string

	// Code, Verifier (RFC 7636) and RedirectURI are those of the authorization code
	// grant (RFC 6749 section 4.1.3), empty where the code was exchanged already.
	Code, Verifier redact.String
	RedirectURI    string

	// RefreshToken and Token are what came for the code. RefreshToken is empty where the
	// provider gave none, and ExpiresAt zero where it did not say when it ends.
	RefreshToken redact.String
	ExpiresAt    time.Time
	Token        *Token
}

// codeLife is how long a code is worth trying. RFC 6749 section 4.1.2 recommends at
// most ten minutes.
const codeLife = 10 * time.Minute

// hasTokens says that the code was exchanged already.
func (l *Login) hasTokens() bool { return l.Token != nil || !l.RefreshToken.IsEmpty() }

// login takes up what a login has left.
func (v View) login() Step {
	l := v.Record.Login
	switch {
	case l.Credential != v.Credential:
		return Step{Action: Discard, Need: NeedBinding}
	case v.Record.TakenUp != "" && v.Record.TakenUp == l.ID:
		return Step{Action: Discard}
	case l.hasTokens():
		return Step{Action: Adopt}
	case !v.freshLogin():
		return Step{Action: Discard, Need: NeedCode}
	}
	return Step{Action: Send, Kind: Redeem}
}

// freshLogin says that there is a login of this credential which can be taken up.
func (v View) freshLogin() bool {
	r, l := v.Record, v.Record.Login
	switch {
	case l == nil, l.Credential != v.Credential, r.TakenUp != "" && r.TakenUp == l.ID:
		return false
	case l.hasTokens():
		return true
	}
	// A code that is sent twice is refused, and may end what came for it (RFC 6749
	// section 4.1.2).
	return !l.Code.IsEmpty() && !v.open(Redeem, l.ID) && v.Now.Before(l.At.Add(codeLife))
}
