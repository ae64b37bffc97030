// Package render turns a token into the data of a Secret. It is pure: it knows
// neither Kubernetes nor a clock.
package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// The default keys of a target Secret.
const (
	keyAccessToken = "access_token"
	keyTokenType   = "token_type"
	keyExpiresAt   = "expires_at"
	keyScope       = "scope"
)

// Data is what a Secret holds. It cannot be printed.
type Data map[string][]byte

// Format writes a marker, whatever the verb and its flags.
func (Data) Format(state fmt.State, _ rune) {
	// A failed write shows in the result of the call that formats.
	_, _ = io.WriteString(state, redact.Marker)
}

// LogValue keeps the values out of structured logs.
func (Data) LogValue() slog.Value { return slog.StringValue(redact.Marker) }

// MarshalJSON keeps the values out of what is encoded without thought, as some loggers
// do. A Secret is written from the map itself.
func (Data) MarshalJSON() ([]byte, error) { return []byte(`"` + redact.Marker + `"`), nil }

// Token is what there is to publish.
type Token struct {
	AccessToken redact.String
	// Type is the normalised token type, `Bearer` in the common case.
	Type string
	// Scope is the granted scope, empty where the provider did not say.
	Scope string
	// ExpiresAt is zero where the lifetime is unknown.
	ExpiresAt time.Time
}

// Default renders the default keys: access_token, token_type, expires_at where it is
// known and scope where the provider answered one.
func Default(t Token) Data {
	data := Data{
		keyAccessToken: []byte(t.AccessToken.Reveal()),
		keyTokenType:   []byte(t.Type),
	}
	if !t.ExpiresAt.IsZero() {
		data[keyExpiresAt] = []byte(instant(t.ExpiresAt))
	}
	if t.Scope != "" {
		data[keyScope] = []byte(t.Scope)
	}
	return data
}

// Hash is a hash of rendered data and the expiry of the token in them, zero where it
// is unknown, to hold both against later.
func Hash(data Data, expiresAt time.Time) string {
	const (
		size = 16                    // bytes; enough against accidents, and a token has entropy of its own
		life = "\x00" + keyExpiresAt // no key of a Secret
	)
	if expiry := instant(expiresAt); !expiresAt.IsZero() && string(data[keyExpiresAt]) != expiry {
		data = maps.Clone(data)
		data[life] = []byte(expiry)
	}
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(data)) {
		// Each part goes in with its length ahead, so that no two sets hash alike.
		for _, part := range [][]byte{[]byte(key), data[key]} {
			h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
			h.Write(part)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:size])
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Intact reads the keys back out of data if they still are what was hashed, and the
// expiry, which is one of those that it may be.
func Intact(data map[string][]byte, keys []string, hash string, expiries ...time.Time) (Data, time.Time, bool) {
	kept := Data{}
	for _, key := range keys {
		value, ok := data[key]
		if !ok {
			return nil, time.Time{}, false
		}
		kept[key] = value
	}
	for _, expiresAt := range expiries {
		if len(kept) > 0 && Hash(kept, expiresAt) == hash {
			return kept, expiresAt, true
		}
	}
	return nil, time.Time{}, false
}

// Recover reads the token back out of data that Default rendered, given the hash that
// was recorded beside it and the expiry as it may be known. It finds the token in
// spite of keys that were added, removed or edited, as long as what it finds
// renders to the same hash again; else it answers false.
func Recover(data map[string][]byte, hash string, expiries ...time.Time) (Token, bool) {
	if len(data[keyAccessToken]) == 0 {
		return Token{}, false
	}
	for _, expiresAt := range expiries {
		if token, ok := recoverWith(data, hash, expiresAt); ok {
			return token, true
		}
	}
	return Token{}, false
}

func recoverWith(data map[string][]byte, hash string, expiresAt time.Time) (Token, bool) {
	for _, tokenType := range []string{string(data[keyTokenType]), "Bearer"} {
		for _, scope := range []string{string(data[keyScope]), ""} {
			token := Token{
				AccessToken: redact.New(string(data[keyAccessToken])),
				Type:        tokenType,
				Scope:       scope,
				ExpiresAt:   expiresAt,
			}
			if Hash(Default(token), expiresAt) == hash {
				return token, true
			}
		}
	}
	return Token{}, false
}

// Holds says that data holds every rendered key as it was rendered, whatever
// others added beside.
func Holds(data map[string][]byte, rendered Data) bool {
	for key, value := range rendered {
		if !bytes.Equal(data[key], value) {
			return false
		}
	}
	return true
}
