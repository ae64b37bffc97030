package oauth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/tokensync/tokensync/internal/assertion"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

const (
	// clientAssertionType is the client_assertion_type of RFC 7523 section 2.2.
	clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

	defaultLifetime = time.Minute
	maxLifetime     = time.Hour
	// maxBackdate is the most that an assertion is backdated for servers whose
	// clocks are behind.
	maxBackdate = 10 * time.Second
	idBytes     = 16 // of a jti, which then is as hard to guess as a UUID
)

// signer makes the assertions of one request, and keeps them for the one who
// reads the answer, where they may be echoed.
type signer struct {
	now      func() time.Time
	random   io.Reader
	tokenURL string
	signed   []redact.String
}

// statement is what an assertion says, and how it is signed.
type statement struct {
	key                       *assertion.Key
	options                   assertion.Options
	issuer, subject, audience string
	lifetime                  time.Duration
	claims                    map[string]any
}

// client returns the assertion by which a client proves who it is (RFC 7523
// section 3).
func (s *signer) client(a ClientAuthentication, key *assertion.Key) (string, error) {
	signed, err := s.sign(statement{
		key: key, options: assertion.Options{Algorithm: a.Algorithm, KeyID: a.KeyID},
		issuer: a.ID, subject: a.ID, audience: a.Audience, lifetime: a.Lifetime,
	})
	if err != nil {
		return "", unsigned("client assertion", "clientAuthentication.assertion.lifetime", err)
	}

	return signed, nil
}

// grant returns the assertion that is the grant (RFC 7523 section 2.1).
func (s *signer) grant(r Request) (string, error) {
	a := r.Assertion

	issuer := a.Issuer
	if issuer == "" {
		issuer = r.Client.ID
	}

	if _, ok := a.Claims["iss"]; issuer == "" && !ok {
		return "", invalidRequest("The assertion of the grant has no issuer. Set jwtBearer.issuer or client.id.")
	}

	if a.Key == nil {
		return "", invalidRequest("The assertion of the grant has no key to sign it. Set jwtBearer.privateKeyRef.")
	}

	signed, err := s.sign(statement{
		key: a.Key, options: assertion.Options{Algorithm: a.Algorithm, KeyID: a.KeyID},
		issuer: issuer, subject: a.Subject, audience: a.Audience, lifetime: a.Lifetime, claims: a.Claims,
	})
	if err != nil {
		return "", unsigned("assertion of the grant", "jwtBearer.lifetime", err)
	}

	return signed, nil
}

// errLifetime and errRandom are why no assertion is made; all else is a
// *assertion.KeyError.
var (
	errLifetime = errors.New("the lifetime is out of bounds")
	errRandom   = errors.New("the random source has failed")
)

// sign makes an assertion. Its life begins a little before now, and it ends its
// lifetime after that: servers bound the difference of the two.
func (s *signer) sign(st statement) (string, error) {
	life := st.lifetime
	if life == 0 {
		life = defaultLifetime
	}

	if life < time.Second || life > maxLifetime {
		return "", errLifetime
	}

	var id [idBytes]byte
	if _, err := io.ReadFull(s.random, id[:]); err != nil {
		return "", errRandom
	}

	audience := st.audience
	if audience == "" {
		audience = s.tokenURL
	}

	const most = 4 // of a short life no more than a quarter is lost
	issued := s.now().Add(-min(maxBackdate, life/most))
	claims := map[string]any{
		"iss": st.issuer, "aud": audience, "iat": issued.Unix(), "exp": issued.Add(life).Unix(),
		"jti": base64.RawURLEncoding.EncodeToString(id[:]),
	}

	if st.subject != "" {
		claims["sub"] = st.subject
	}

	maps.Copy(claims, st.claims)

	signed, err := st.key.Sign(st.options, claims)
	if err != nil {
		return "", err
	}

	s.signed = append(s.signed, signed)

	return signed.Reveal(), nil
}

// unsigned returns the *Error for an assertion that could not be made; field is
// where its lifetime is set.
func unsigned(what, field string, err error) *Error {
	if errors.Is(err, errLifetime) {
		return invalidRequest(fmt.Sprintf("The lifetime of the %s is out of bounds. Set %s to at most 1h.", what, field))
	}

	if key, ok := errors.AsType[*assertion.KeyError](err); ok {
		return &Error{
			Kind: KindInvalidKey, Class: lifetime.Configuration,
			Message: fmt.Sprintf("The %s cannot be signed. %s", what, key.Message),
		}
	}

	return &Error{
		Kind: KindInvalidRequest, Class: lifetime.Transient,
		Message: fmt.Sprintf("The %s cannot be made: the random source of this machine has failed.", what),
	}
}
