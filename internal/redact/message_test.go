package redact_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/redact"
)

func TestMessage(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("ä", 300)

	for name, test := range map[string]struct{ text, want string }{
		"plain text stays":                           {"Client not found.", "Client not found."},
		"nothing stays nothing":                      {"", ""},
		"white space is folded and trimmed":          {" \t a \r\n\u00a0\u2003 b\u2028c \n", "a b c"},
		"control characters are dropped":             {"a\x00b\x1b[31mc\x7fd\u0085e\x9f", "ab[31mcd e\ufffd"},
		"bidirectional characters are dropped":       {"a\u202eb\u2066c\u200fd\u061ce", "abcde"},
		"zero-width characters are dropped":          {"a\u200bb\u200cc\u2060d\ufeffe\u00adf", "abcdef"},
		"letters that show nothing are dropped":      {"a\u3164b\u115fc\uffa0d\u2800e\ufe0ff\U000e0041g", "abcdefg"},
		"private and unassigned ones are dropped":    {"a\ue000b\U000f0000c\U000e0fffd", "abcd"},
		"bytes that are not UTF-8 are replaced":      {"a\xffb", "a\ufffdb"},
		"other scripts stay":                         {"größer 日本語 नमस्ते ไทย", "größer 日本語 नमस्ते ไทย"},
		"256 characters stay":                        {long[:512], long[:512]},
		"one more is cut":                            {long[:514], long[:510] + "…"},
		"more are cut":                               {long, long[:510] + "…"},
		"no space before the ellipsis":               {strings.Repeat("a", 254) + " bcdef", strings.Repeat("a", 254) + "…"},
		"what is cut is counted after it was folded": {strings.Repeat("a  ", 128), strings.TrimSpace(strings.Repeat("a ", 128))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := redact.Message(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}

			checkMessage(t, redact.Message(test.text))
		})
	}
}

func TestURL(t *testing.T) {
	t.Parallel()

	for raw, want := range map[string]string{
		"https://id.example.com/oauth/token":                   "https://id.example.com/oauth/token",
		"https://user:pa55@id.example.com:8443/t?key=k#f":      "https://id.example.com:8443/t",
		"https://user@id.example.com":                          "https://id.example.com",
		"https://[2001:db8::1]:443/t":                          "https://[2001:db8::1]:443/t",
		"https://id.example.com/a%2Fb%0Ac":                     "https://id.example.com/a%2Fb%0Ac",
		"":                                                     "[invalid URL]",
		"user:pa55@id.example.com/t":                           "[invalid URL]",
		"https:/user:pa55@id.example.com/t":                    "[invalid URL]",
		"//user:pa55@id.example.com/t":                         "[invalid URL]",
		"mailto:pa55@example.com":                              "[invalid URL]",
		"https://user:pa55 @id.example.com/":                   "[invalid URL]",
		"https://id.example.com/%zzpa55":                       "[invalid URL]",
		"https://id.example.com/\x00pa55":                      "[invalid URL]",
		"https://\u202eid.example.com/t":                       "https://id.example.com/t",
		"https://id.example.com/" + strings.Repeat("long", 99): "https://id.example.com/" + strings.Repeat("long", 58) + "…",
	} {
		if got := redact.URL(raw); got != want {
			t.Errorf("URL(%q) = %q, want %q", raw, got, want)
		}
	}
}

// checkMessage checks what holds of every message.
func checkMessage(t *testing.T, message string) {
	t.Helper()

	if !utf8.ValidString(message) || utf8.RuneCountInString(message) > 256 {
		t.Errorf("not UTF-8 or too long: %q", message)
	}

	if again := redact.Message(message); again != message {
		t.Errorf("not stable: %q becomes %q", message, again)
	}

	for _, r := range message {
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || unicode.IsSpace(r) && r != ' ' {
			t.Errorf("%q holds %U", message, r)
		}
	}

	if strings.Contains(message, "  ") || strings.TrimSpace(message) != message {
		t.Errorf("%q has white space that is not folded", message)
	}
}
