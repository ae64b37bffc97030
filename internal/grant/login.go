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
