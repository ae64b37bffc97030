package check

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// listener reads an answer as another mapper does, and keeps what came.
type listener struct {
	next oauth.ResponseMapper
	// answer is what came, nil while nothing did; found is what next made of it.
	answer *oauth.Response
	found  oauth.Mapping
}

// Map implements oauth.ResponseMapper.
func (l *listener) Map(answer oauth.Response) (oauth.Mapping, error) {
	l.answer = &answer
	if l.next == nil {
		return oauth.Mapping{}, nil
	}
	var err error
	l.found, err = l.next.Map(answer)
	return l.found, err
}

// lines are the headers and the body of the answer, without its secrets.
func (l *listener) lines(request oauth.Request) []string {
	secrets := request.Secrets()
	for _, name := range []oauth.Name{oauth.NameAccessToken, oauth.NameRefreshToken} {
		if token, ok := l.found.Values[name].(string); ok {
			secrets = append(secrets, redact.New(token))
		}
	}
	scrubber := redact.NewScrubber(secrets...)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(l.answer.Headers)) {
		lines = append(lines, redact.Message(name)+": "+maskHeader(name, scrubber.Clean(l.answer.Headers[name])))
	}
	lines = append(lines, "")
	if text, ok := l.answer.Body.(string); ok {
		return append(lines, beginning(scrubber, text)...)
	}
	if l.answer.Body == nil {
		return append(lines, "(no body, or none that can be read)")
	}
	encoded, err := json.MarshalIndent(clean(scrubber, l.answer.Body), "", "  ")
	if err != nil {
		return append(lines, "(a body that cannot be shown)")
	}
	return append(lines, strings.Split(string(encoded), "\n")...)
}

// plainHeaders are those of answers that hold no secrets and are worth a look.
var plainHeaders = []string{
	"age", "cache-control", "content-encoding", "content-length", "content-type", "date", "expires", "pragma", "retry-after", "server",
}

// maskHeader shows the headers that are known; of the others, no more than what may be
// shown of any text.
func maskHeader(name, value string) string {
	if slices.Contains(plainHeaders, name) {
		return value
	}
	return maskText(name, value)
}

// beginning is the beginning of a text, such as an error page.
func beginning(scrubber *redact.Scrubber, text string) []string {
	const most = 10
	var lines []string
	for line := range strings.Lines(text) {
		if line = maskText("", scrubber.Clean(line)); line != "" {
			lines = append(lines, line)
		}
		if len(lines) == most {
			return append(lines, "…")
		}
	}
	return lines
}
