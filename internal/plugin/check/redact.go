package check

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/redact"
)

// Nobody knows all the names that providers have for their secrets. Of an answer is
// shown what is known to be harmless, or too short and too plain to be a secret.

// longest is how long a word may be that is not known to be harmless.
const longest = 20

var (
	// suspicious are names whose values are secrets, however short.
	suspicious = regexp.MustCompile(`(?i)token|secret|password|passwd|assertion|credential|signature|cookie|session|code|key`)
	// harmless are names that only look like it.
	harmless = regexp.MustCompile(`(?i)^(token_?type|tokentype|error_?code|errorcode|code|status_?code|refresh_token_(expires_in|issued_at|status)|token_ttl|key_?type)$`)
	// addressed is a URL without a query, such as the page of an error.
	addressed = regexp.MustCompile(`^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?$`)
)

// clean makes an answer fit to be shown: without what the scrubber knows, and without
// what may be a secret.
func clean(scrubber *redact.Scrubber, value any) any {
	return mask("", scrubber.Strip(value, redact.String{}))
}

func mask(name string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		masked := make(map[string]any, len(value))
		for key, item := range value {
			masked[redact.Message(key)] = mask(key, item)
		}
		return masked
	case []any:
		masked := make([]any, 0, len(value))
		for _, item := range value {
			masked = append(masked, mask(name, item))
		}
		return masked
	case string:
		return maskText(name, value)
	case json.Number:
		if text := maskText(name, value.String()); text != value.String() {
			return text
		}
	}
	return value
}

// maskText hides a text that may be a secret, and tells its length.
func maskText(name, text string) string {
	if strings.Contains(text, redact.Marker) || text == "" {
		return redact.Message(text)
	}
	if suspicious.MatchString(name) && !harmless.MatchString(name) && !isNumber(text) {
		return masked(text)
	}
	if addressed.MatchString(text) {
		return redact.Message(text)
	}
	words := strings.Fields(text)
	if slices.ContainsFunc(words, func(word string) bool { return utf8.RuneCountInString(word) > longest && !plain(word) }) {
		return masked(text)
	}
	return redact.Message(text)
}

// plain tells a long word that no random source has made: one of letters alone, parted
// by signs, such as urn:ietf:params:oauth:grant-type:jwt-bearer, or an instant.
func plain(word string) bool {
	const most = 12 // letters in a row; random ones have digits among them long before
	run := 0
	for _, r := range word {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			if run++; run > most {
				return false
			}
		case strings.ContainsRune(`:/.,;-_'"()[]{}=`, r):
			run = 0
		default:
			return isInstant(word)
		}
	}
	return true
}

var instant = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)?$`)

func isInstant(word string) bool { return instant.MatchString(word) }

// isNumber tells what counts something, and no code or PIN: a lifetime or an instant.
func isNumber(text string) bool {
	const most = 19
	return len(text) <= most && !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

func masked(text string) string {
	return fmt.Sprintf("[redacted, %d characters]", utf8.RuneCountInString(text))
}
