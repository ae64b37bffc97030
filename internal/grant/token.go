package grant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// Token is an answer as it is kept: what a target Secret is made of, by whatever its
// credential asks for.
type Token struct {
	Answer *oauth.Answer
	// ClientID is the id of the client that asked.
	ClientID string
	// InputsHash is a hash of what shaped the request.
	InputsHash string
}

// maxRest is the most bytes of an answer that are kept. A Secret holds four times that.
const maxRest = 256 << 10

// wireToken is a Token as JSON. It holds an access token.
type wireToken struct {
	AccessToken string         `json:"access_token"`
	TokenType   string         `json:"token_type,omitempty"`
	Scope       string         `json:"scope,omitempty"`
	ExpiresIn   any            `json:"expires_in,omitempty"`
	ExpiresAt   any            `json:"expires_at,omitempty"`
	IssuedAt    any            `json:"issued_at,omitempty"`
	Date        string         `json:"date,omitempty"`
	Age         string         `json:"age,omitempty"`
	Sent        time.Time      `json:"sent"`
	Received    time.Time      `json:"received"`
	ClientID    string         `json:"client_id,omitempty"`
	InputsHash  string         `json:"inputs_hash"`
	Raw         any            `json:"raw,omitempty"`
	Extra       map[string]any `json:"extra,omitempty"`
}

// encode is a token as JSON, empty where there is none, or none that can be kept.
func (t *Token) encode() []byte {
	if t == nil || t.Answer == nil {
		return nil
	}
	a := t.Answer
	w := wireToken{
		AccessToken: a.AccessToken.Reveal(), TokenType: a.TokenType, Scope: a.Scope,
		ExpiresIn: a.Claims.ExpiresIn, ExpiresAt: a.Claims.ExpiresAt, IssuedAt: a.Claims.IssuedAt,
		Date: a.Claims.Date, Age: a.Claims.Age, Sent: writable(a.Sent), Received: writable(a.Received),
		ClientID: t.ClientID, InputsHash: t.InputsHash, Raw: a.Raw, Extra: a.Extra,
	}
	// The refresh token must be kept, whatever came with it.
	for _, drop := range []func(){
		func() {},
		func() { w.Raw, w.Extra = nil, nil },
		func() { w.ExpiresIn, w.ExpiresAt, w.IssuedAt = nil, nil, nil },
	} {
		drop()
		encoded, err := json.Marshal(w) //nolint:gosec // The Secret that this goes into is the place for tokens.
		if err == nil && len(encoded) <= maxRest {
			return encoded
		}
	}
	return nil
}

// settled is the token as it is read back: what is published of it is the same before
// and after it was read. One that cannot be kept is published as it is.
func (t *Token) settled() *Token {
	if token, err := decodeToken(t.encode()); err == nil && token != nil {
		return token
	}
	return t
}

// Format writes no part of a token: an answer may hold it in places that nobody knows.
func (Token) Format(state fmt.State, _ rune) {
	// A failed write shows in the result of the call that formats.
	_, _ = io.WriteString(state, redact.Marker)
}

// LogValue is as silent as Format.
func (Token) LogValue() slog.Value { return slog.StringValue(redact.Marker) }

// MarshalJSON is as silent as Format. It never fails.
func (Token) MarshalJSON() ([]byte, error) { return []byte(`"` + redact.Marker + `"`), nil }

func decodeToken(data []byte) (*Token, error) {
	if len(data) == 0 {
		return nil, nil //nolint:nilnil // No token is no error.
	}
	var w wireToken
	if err := unmarshal(data, &w); err != nil {
		return nil, err
	}
	if w.AccessToken == "" {
		return nil, ErrUnreadable
	}
	return &Token{
		Answer: &oauth.Answer{
			AccessToken: redact.New(w.AccessToken), TokenType: w.TokenType, Scope: w.Scope,
			Claims: lifetime.Claims{ExpiresIn: w.ExpiresIn, ExpiresAt: w.ExpiresAt, IssuedAt: w.IssuedAt, Date: w.Date, Age: w.Age},
			Sent:   w.Sent, Received: w.Received, Raw: w.Raw, Extra: w.Extra,
		},
		ClientID: w.ClientID, InputsHash: w.InputsHash,
	}, nil
}

// unmarshal decodes JSON without losing the digits of large numbers.
func unmarshal(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if decoder.Decode(into) != nil {
		return ErrUnreadable // The text of the error may quote what it could not read.
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return ErrUnreadable
	}
	return nil
}
