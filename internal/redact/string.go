package redact

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Marker is what stands in place of a secret.
const Marker = "[redacted]"

// String is a secret text. Every way to print, log or encode it yields
// [Marker]; only Reveal gives the secret. The zero value is the empty secret.
// It is safe for concurrent use and may be copied.
//
// The text lies behind a pointer because fmt does not call the methods of a
// value in an unexported field of another struct: it prints the fields instead,
// and a pointer to a string there as an address.
type String struct {
	_     [0]func() // not comparable with ==, which would compare the pointers
	value *string
}

// New makes a secret of s.
func New(s string) String {
	if s == "" {
		return String{}
	}

	return String{value: &s}
}

// Reveal returns the secret itself. Its result must not go into a log, an
// event, a condition or an error.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}

	return *s.value
}

// IsEmpty tells whether the secret is the empty text.
func (s String) IsEmpty() bool {
	return s.Reveal() == ""
}

// Equal tells whether both secrets are the same text, in a time that depends
// on their lengths only.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns [Marker].
func (String) String() string {
	return Marker
}

// GoString returns [Marker].
func (String) GoString() string {
	return Marker
}

// Format writes [Marker], whatever the verb and its flags.
func (String) Format(state fmt.State, _ rune) {
	// A failed write shows in the result of the call that formats.
	_, _ = io.WriteString(state, Marker)
}

// LogValue returns [Marker].
func (String) LogValue() slog.Value {
	return slog.StringValue(Marker)
}

// MarshalJSON returns [Marker] as a JSON string. It never fails.
func (String) MarshalJSON() ([]byte, error) {
	return []byte(`"` + Marker + `"`), nil
}

// MarshalText returns [Marker]. It never fails.
func (String) MarshalText() ([]byte, error) {
	return []byte(Marker), nil
}
