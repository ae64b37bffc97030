package inspect

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
)

// write prints a report for people.
func (r *Report) write(w io.Writer, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, value) //nolint:errcheck // Flush tells.
		}
	}
	row("Credential", r.Namespace+"/"+r.Credential)
	row("Secret", r.Secret+" ("+r.Type+")")
	if !r.Described {
		row("Token", "none that tokensync has written: see `kubectl tokensync status "+r.Credential+" -n "+r.Namespace+"`")
	}
	row("Issued", instant(r.IssuedAt, now))
	row("Expires", r.expiry(now))
	row("Type", r.TokenType)
	row("Scope", r.Scope)
	row("Grant ends", instant(r.RefreshTokenExpiresAt, now))
	for _, key := range r.Keys {
		fmt.Fprintf(t, "\n%s\t%s\n", key.Name, key.summary()) //nolint:errcheck // Flush tells.
		if key.JWT == nil {
			continue
		}
		for _, name := range order(key.JWT.Claims) {
			row("  "+redact.Message(name), claim(name, key.JWT.Claims[name], now))
		}
	}
	return t.Flush()
}

func (r *Report) expiry(now time.Time) string {
	switch {
	case r.ExpiresAt == nil && r.IssuedAt != nil:
		return "the provider does not say"
	case r.ExpiresAt != nil && !now.Before(r.ExpiresAt.Time):
		return instant(r.ExpiresAt, now) + ": EXPIRED"
	}
	return instant(r.ExpiresAt, now)
}

// summary describes a value, or shows it where it was asked for.
func (k Key) summary() string {
	var kind string
	switch {
	case k.JWT != nil && k.JWT.Encrypted:
		kind = ", an encrypted JWT (" + k.JWT.Algorithm + "), which only its recipient can read"
	case k.JWT != nil:
		kind = ", a JWT signed with " + k.JWT.Algorithm
		if k.JWT.KeyID != "" {
			kind += ", key " + k.JWT.KeyID
		}
	}
	text := cli.Count(k.Bytes, "byte", "bytes") + kind
	if k.Value != "" {
		text += "\n" + printable(k.Value)
	}
	return text
}

// printable is a value as it is, unless it would do something to the terminal.
func printable(value string) string {
	control := func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c <= 0x9f }
	if strings.ContainsFunc(value, control) {
		return strconv.Quote(value)
	}
	return value
}

// order sorts claims: those of RFC 7519 and of scopes first, then the others by name.
func order(claims map[string]any) []string {
	first := []string{"iss", "sub", "aud", "client_id", "azp", "scope", "scp", "iat", "nbf", "exp", "jti"}
	names := slices.DeleteFunc(slices.Clone(first), func(name string) bool { return claims[name] == nil })
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if !slices.Contains(first, name) {
			names = append(names, name)
		}
	}
	return names
}

// claim writes the value of a claim. Those that are instants are written as such (RFC
// 7519 section 2, OpenID Connect Core section 2).
func claim(name string, value any, now time.Time) string {
	number, ok := value.(json.Number)
	if ok && slices.Contains([]string{"iat", "nbf", "exp", "auth_time"}, name) {
		if seconds, err := number.Float64(); err == nil && seconds > 0 && seconds < 1<<40 {
			return instant(&metav1.Time{Time: time.Unix(int64(seconds), 0)}, now)
		}
	}
	if text, ok := value.(string); ok {
		return redact.Message(text)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return "cannot be shown"
	}
	return redact.Message(string(encoded))
}

func instant(at *metav1.Time, now time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339) + " (" + cli.When(at.Time, now) + ")"
}
