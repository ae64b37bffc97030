package sidecar

import (
	"context"
	"errors"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/render"
)

// Set is what a source has found: all keys of a Secret, and the token in them. It is
// never changed once it is made.
type Set struct {
	// Data are the keys with their values, as files hold them.
	Data render.Data
	// Token is the access token, empty where no key holds one, and Type how it is
	// presented, such as `Bearer`.
	Token redact.String
	Type  string
	// Life is when the token was issued and when it expires. Either is zero where that is
	// not known.
	Life lifetime.Token

	hash string
}

// Keys names the keys that hold the token and what is known of it.
type Keys struct {
	Token, Type, Expiry string
}

// Set makes a set of the keys of a Secret. life is what is known of the token from
// elsewhere; where that names no expiry, the key of the expiry is read (RFC 3339). It
// answers false where there are no keys at all.
func (k Keys) Set(data map[string][]byte, life lifetime.Token) (*Set, bool) {
	if len(data) == 0 {
		return nil, false
	}
	set := &Set{Data: data, Token: redact.New(string(data[k.Token])), Type: string(data[k.Type]), Life: life}
	if set.Type == "" {
		set.Type = "Bearer"
	}
	if expiresAt, err := time.Parse(time.RFC3339, string(data[k.Expiry])); err == nil && life.ExpiresAt.IsZero() {
		set.Life.ExpiresAt = expiresAt.UTC()
	}
	set.hash = render.Hash(set.Data, set.Life.ExpiresAt)
	return set, true
}

// Usable tells whether the set holds a token that has not expired. One whose end is not
// known never does, and a set without a token goes by its end alone: its keys may hold the
// token in a form of their own.
func (s *Set) Usable(now time.Time) bool { return s != nil && !s.Life.Expired(now) }

// Is tells whether two sets hold the same keys with the same values and the same expiry.
func (s *Set) Is(other *Set) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.hash == other.hash
}

// Source finds sets, and offers each to Current.
type Source interface {
	// Run goes on until the context ends, and keeps trying whatever fails. An error is
	// something that no trying mends.
	Run(ctx context.Context, into *Current) error
}

// ErrNoRefresh says that a source can ask nobody for a fresh token.
var ErrNoRefresh = errors.New("this source can ask nobody for a fresh token")

// Refresher asks for a token before its time, because it was refused where it was used.
type Refresher interface {
	// Refresh asks, and does not wait for the token: that comes by Current. The error is
	// ErrNoRefresh where there is nobody to ask, or else what was in the way this time.
	Refresh(ctx context.Context) error
}
