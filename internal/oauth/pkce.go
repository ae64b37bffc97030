package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"io"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// challengeMethod is the one code_challenge_method that is used: with the other
// the challenge is the verifier itself (RFC 7636 section 7.2).
const challengeMethod = "S256"

// NewCodeVerifier returns a code_verifier of 32 random bytes, as RFC 7636 section
// 4.1 recommends. random is such as rand.Reader of crypto/rand. The error is an
// *Error.
func NewCodeVerifier(random io.Reader) (redact.String, error) {
	return newNonce(random, "code verifier")
}

// NewState returns a state of 32 random bytes that nobody can guess (RFC 6749
// section 10.12). random is such as rand.Reader of crypto/rand. The error is an
// *Error.
func NewState(random io.Reader) (redact.String, error) {
	return newNonce(random, "state")
}

// CodeChallenge returns the code_challenge of a code verifier by the method S256
// (RFC 7636 section 4.2).
func CodeChallenge(verifier redact.String) string {
	digest := sha256.Sum256([]byte(verifier.Reveal()))

	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// newNonce returns random bytes in base64url, which takes 43 characters.
func newNonce(random io.Reader, what string) (redact.String, error) {
	var nonce [32]byte
	if _, err := io.ReadFull(random, nonce[:]); err != nil {
		return redact.String{}, &Error{
			Kind: KindInvalidRequest, Class: lifetime.Transient,
			Message: "The " + what + " cannot be made: the random source of this machine has failed.",
		}
	}

	return redact.New(base64.RawURLEncoding.EncodeToString(nonce[:])), nil
}
