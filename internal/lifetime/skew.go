package lifetime

import (
	"strings"
	"time"
)

const (
	// skewNoise is what a Date header may be off without meaning anything: it has whole seconds, and was written
	// somewhere between the request and the answer.
	skewNoise = 2 * time.Second
	// skewWarning is the skew from which on a user hears of it.
	skewWarning = time.Minute
)

// serverClock is what an answer's headers tell about the provider's clock.
type serverClock struct {
	// known means that the answer was stamped when we asked for it. Without that the offset is 0.
	known bool
	// offset is how far the provider's clock is ahead of ours; 0 where it is within the noise.
	offset time.Duration
	// slack is by how much an instant of that clock may be misjudged.
	slack time.Duration
	// far means that the offset deserves a warning.
	far bool
}

// readServerClock compares the Date header with the middle of the time that the request took. An answer with an Age
// comes from a cache, and its Date is of another request.
func readServerClock(date, age string, sent, received time.Time) serverClock {
	stamp, ok := parseDate(date)
	if age = strings.TrimSpace(age); !ok || age != "" && strings.Trim(age, "0") != "" {
		return serverClock{}
	}
	half := max(0, received.Sub(sent)) / 2
	clock := serverClock{known: true, slack: skewNoise + half}
	if offset := stamp.Sub(sent.Add(half)); offset.Abs() >= skewNoise {
		clock.offset = offset
		clock.far = offset.Abs() > skewWarning+half
	}
	return clock
}

// parseDate reads a Date header, which is one of HTTP's three formats and always UTC.
func parseDate(header string) (time.Time, bool) {
	text := strings.TrimSpace(header)
	if text == "" || text[0] >= '0' && text[0] <= '9' {
		return time.Time{}, false
	}
	i, ok := parseInstant(text)
	return i.at, ok
}
