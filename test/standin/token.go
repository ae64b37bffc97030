package standin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

const (
	ticketHeader = 18 // issued and expires, eight bytes each; the kind; the length of the family's name
	familyHeader = 8  // generation and serial, four bytes each
)

// kind tells what a token is for.
type kind byte

const (
	accessKind kind = iota
	refreshKind
)

// never is when a token expires that does not.
func never() time.Time { return time.Unix(0, math.MaxInt64) }

// ticket is what a token says of itself.
type ticket struct {
	kind                kind
	clientID            string
	issuedAt, expiresAt time.Time
	// family is empty where the token belongs to none; then it has no generation
	// and no serial number either.
	family             string
	generation, serial uint32
}

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
func (s sealer) seal(t ticket) string {
	var backing [128]byte
	plain := backing[:0]
	plain = binary.BigEndian.AppendUint64(plain, uint64(t.issuedAt.UnixNano()))
	plain = binary.BigEndian.AppendUint64(plain, uint64(t.expiresAt.UnixNano()))
	plain = append(plain, byte(t.kind), byte(len(t.family)))
	if t.family != "" {
		plain = binary.BigEndian.AppendUint32(plain, t.generation)
		plain = binary.BigEndian.AppendUint32(plain, t.serial)
		plain = append(plain, t.family...)
	}
	plain = append(plain, t.clientID...)
	sealed := s.aead.Seal(make([]byte, 0, len(plain)+s.aead.Overhead()), nil, plain, nil)
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// open returns what a token says of itself; ok is false when it is not ours.
func (s sealer) open(token string) (t ticket, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return ticket{}, false
	}
	plain, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil || len(plain) < ticketHeader {
		return ticket{}, false
	}
	t.issuedAt = time.Unix(0, int64(binary.BigEndian.Uint64(plain))).UTC()
	t.expiresAt = time.Unix(0, int64(binary.BigEndian.Uint64(plain[8:]))).UTC()
	t.kind = kind(plain[16])
	size, plain := int(plain[17]), plain[ticketHeader:]
	if size > 0 && len(plain) >= familyHeader+size {
		t.generation, t.serial = binary.BigEndian.Uint32(plain), binary.BigEndian.Uint32(plain[4:])
		t.family = string(plain[familyHeader : familyHeader+size])
		plain = plain[familyHeader+size:]
	}
	t.clientID = string(plain)
	return t, true
}

// wholeSeconds is what the real systems answer as expires_in: the whole seconds
// that are left an instant after the token was issued, so one less than a
// lifetime of whole seconds. It never says zero, which would mean that the token
// is dead on arrival.
func wholeSeconds(lifetime time.Duration) int64 {
	return max(1, int64((lifetime-1)/time.Second))
}
