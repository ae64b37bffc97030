package oidcprovider

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
)

const (
	coordinate  = 32 // bytes of a P-256 coordinate
	longestBody = 1 << 20
)

// Introspection is what the server says of an opaque token (RFC 7662).
type Introspection struct {
	Active   bool   `json:"active"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	// Subject and Actor are those of the assertions that the token was issued for,
	// and Department is a further claim.
	Subject    string `json:"subject"`
	Actor      string `json:"actor"`
	Department string `json:"department"`
	// Person is who has logged in for it.
	Person string `json:"sub"`
	// Confirmation is what the token is bound to (RFC 8705 section 3.2).
	Confirmation struct {
		// Thumbprint is that of the certificate that the client presented.
		Thumbprint string `json:"x5t#S256"`
	} `json:"cnf"`
}

// Introspect asks the server about an opaque token.
func (p *Provider) Introspect(ctx context.Context, token string) (Introspection, error) {
	form := url.Values{"token": {token}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Issuer+"/token/introspection", strings.NewReader(form))
	if err != nil {
		return Introspection{}, fmt.Errorf("introspect: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(introspector, p.secret)
	var result Introspection
	if err := p.fetch(request, &result); err != nil {
		return Introspection{}, fmt.Errorf("introspect: %w", err)
	}
	return result, nil
}

// Verify checks the signature of an access token that is a JWT against the keys
// that the server publishes, and returns its claims. The expiry is for the
// caller to judge.
func (p *Provider) Verify(ctx context.Context, token string) (map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Issuer+"/jwks", nil)
	if err != nil {
		return nil, fmt.Errorf("fetch the keys: %w", err)
	}
	var keys struct {
		Keys []struct{ X, Y string }
	}
	if err := p.fetch(request, &keys); err != nil {
		return nil, fmt.Errorf("fetch the keys: %w", err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("the token is not a JWT")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 2*coordinate {
		return nil, errors.New("the signature is not one of ES256")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:coordinate]), new(big.Int).SetBytes(signature[coordinate:])
	for _, key := range keys.Keys {
		if public, err := publicKey(key.X, key.Y); err == nil && ecdsa.Verify(public, digest[:], r, s) {
			return claims(parts[1])
		}
	}
	return nil, errors.New("no published key has signed the token")
}

// publicKey decodes a P-256 key of a JWK set.
func publicKey(encodedX, encodedY string) (*ecdsa.PublicKey, error) {
	point := []byte{4} // uncompressed
	for _, encoded := range []string{encodedX, encodedY} {
		decoded, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			return nil, fmt.Errorf("decode the key: %w", err)
		}
		point = append(point, decoded...)
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

// claims decodes the payload of a JWT.
func claims(payload string) (map[string]any, error) {
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, fmt.Errorf("decode the claims: %w", err)
	}
	var result map[string]any
	if err := json.Unmarshal(decoded, &result); err != nil {
		return nil, fmt.Errorf("decode the claims: %w", err)
	}
	return result, nil
}

// fetch decodes the JSON of a good answer.
func (p *Provider) fetch(request *http.Request, result any) (err error) {
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestBody))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", response.StatusCode, body)
	}
	return json.Unmarshal(body, result)
}
