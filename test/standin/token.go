package standin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

const tokenHeader = 16 // issued and expires, eight bytes each

// sealer makes tokens that carry who they are for and how long they live,
// encrypted and authenticated, so that they are opaque to everybody else and
// nothing needs to be remembered about them.
type sealer struct {
	aead cipher.AEAD
}

// newSealer derives the cipher from key, or from a random one when key is empty.
func newSealer(key []byte) (sealer, error) {
	if len(key) == 0 {
		key = make([]byte, sha256.Size)
		if _, err := rand.Read(key); err != nil {
			return sealer{}, fmt.Errorf("draw a key: %w", err)
		}
	}
	sum := sha256.Sum256(key)
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return sealer{}, fmt.Errorf("create the cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("create the cipher: %w", err)
	}
	return sealer{aead: aead}, nil
}

// seal returns a new token.
func (s sealer) seal(clientID string, issuedAt, expiresAt time.Time) string {
	var backing [128]byte
	plain := backing[:0]
	plain = binary.BigEndian.AppendUint64(plain, uint64(issuedAt.UnixNano()))
	plain = binary.BigEndian.AppendUint64(plain, uint64(expiresAt.UnixNano()))
	plain = append(plain, clientID...)
	sealed := s.aead.Seal(make([]byte, 0, len(plain)+s.aead.Overhead()), nil, plain, nil)
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// open returns what a token says of itself; ok is false when it is not ours.
func (s sealer) open(token string) (clientID string, expiresAt time.Time, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", time.Time{}, false
	}
	plain, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil || len(plain) < tokenHeader {
		return "", time.Time{}, false
	}
	expires := int64(binary.BigEndian.Uint64(plain[8:tokenHeader]))
	return string(plain[tokenHeader:]), time.Unix(0, expires).UTC(), true
}

// wholeSeconds is what the real systems answer as expires_in: the whole seconds
// that are left an instant after the token was issued, so one less than a
// lifetime of whole seconds. It never says zero, which would mean that the token
// is dead on arrival.
func wholeSeconds(lifetime time.Duration) int64 {
	return max(1, int64((lifetime-1)/time.Second))
}
