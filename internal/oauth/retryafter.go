package oauth

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest Retry-After that is believed.
const maxRetryAfter = 15 * time.Minute

// retryAfter reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or
// a date that is relative to the answer's own Date, or to received where it has
// none. It is false where there is none that can be read.
func retryAfter(header http.Header, received time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))

	// A fraction is not allowed, but sent.
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		if seconds >= maxRetryAfter.Seconds() {
			return maxRetryAfter, true
		}

		return time.Duration(seconds * float64(time.Second)), true
	}

	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}

	if own, err := http.ParseTime(header.Get("Date")); err == nil {
		received = own
	}

	return min(max(date.Sub(received), 0), maxRetryAfter), true
}
