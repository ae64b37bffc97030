package lifetime

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// textOf reduces a claim to trimmed text, empty where it is absent. It returns false for what is no scalar that could
// state a time: booleans, arrays, objects.
func textOf(claim any) (string, bool) {
	switch v := claim.(type) {
	case nil:
		return "", true
	case json.Number:
		return strings.TrimSpace(v.String()), true
	case string:
		return strings.TrimSpace(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), true
	}
	return "", false
}

// readRelative reads expiresIn. Fractions of a second are dropped; what is longer than forever is forever. A negative
// value, commonly -1 for "does not expire", is silent, with a negative duration so that the caller can tell.
func readRelative(claim any, unit Unit) (time.Duration, verdict, error) {
	text, ok := textOf(claim)
	if !ok {
		return 0, silent, &InvalidError{Claim: claimExpiresIn, Problem: problemShape}
	}
	if text == "" {
		return 0, silent, nil
	}
	seconds, ok := inSeconds(text, unit)
	switch {
	case !ok && unit == Duration:
		return 0, silent, &InvalidError{Claim: claimExpiresIn, Problem: problemDuration}
	case !ok:
		return 0, silent, &InvalidError{Claim: claimExpiresIn, Problem: problemRelative}
	case seconds < 0:
		return -1, silent, nil
	case seconds == 0:
		return 0, zero, nil
	}
	return wholeSeconds(seconds), stated, nil
}

// inSeconds converts a claim's text. It returns false where the text does not fit the unit.
func inSeconds(text string, unit Unit) (float64, bool) {
	number, ok := decimal(text)
	switch {
	case !ok && unit == Duration:
		return durationText(text)
	case unit == Milliseconds:
		return number / 1000, ok
	case unit == Minutes:
		return number * 60, ok
	}
	return number, ok
}

// wholeSeconds converts seconds that are not negative to a duration: rounded down, and forever at most.
func wholeSeconds(seconds float64) time.Duration {
	if seconds >= forever.Seconds() {
		return forever
	}
	return time.Duration(math.Floor(seconds)) * time.Second
}

// decimal reads a decimal number with optional sign, fraction and exponent. What is too large for a float64 is an
// infinity, so that it can be clamped like any other number; the words Infinity and NaN are none, and neither are
// hexadecimal digits and underscores, all of which strconv would take.
func decimal(text string) (float64, bool) {
	for _, char := range []byte(text) {
		if (char < '0' || char > '9') && !strings.ContainsRune("+-.eE", rune(char)) {
			return 0, false
		}
	}
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil || math.IsInf(number, 0)
}

// unitLength is a unit in a text such as "1h30m", and its length in seconds.
type unitLength struct {
	name    string
	seconds float64
}

// The units of the two grammars, longest name first where one begins with another. ISO 8601's years and months are
// left out: they have no fixed length.
var (
	goUnits = []unitLength{
		{"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1},
	}
	isoDateUnits = []unitLength{{"w", 7 * 86400}, {"d", 86400}}
	isoTimeUnits = []unitLength{{"h", 3600}, {"m", 60}, {"s", 1}}
)

// durationText reads "1h30m", "PT20M" and "177:05:38", with an optional sign in front, in seconds.
func durationText(text string) (float64, bool) {
	unsigned := strings.ToLower(strings.TrimLeft(text, "+-"))
	if len(text)-len(unsigned) > 1 {
		return 0, false
	}
	var seconds float64
	var ok bool
	iso, isISO := strings.CutPrefix(unsigned, "p")
	switch {
	case isISO:
		seconds, ok = isoDuration(iso)
	case strings.Contains(unsigned, ":"):
		seconds, ok = clockDuration(unsigned)
	default:
		seconds, ok = sumUnits(unsigned, goUnits)
	}
	if strings.HasPrefix(text, "-") {
		seconds = -seconds
	}
	return seconds, ok
}

// isoDuration reads what follows the P of an ISO 8601 duration, in lower case.
func isoDuration(text string) (float64, bool) {
	date, clock, hasClock := strings.Cut(text, "t")
	if !hasClock {
		return sumUnits(date, isoDateUnits)
	}
	seconds, ok := sumUnits(clock, isoTimeUnits)
	if !ok || date == "" {
		return seconds, ok
	}
	days, ok := sumUnits(date, isoDateUnits)
	return days + seconds, ok
}

// clockDuration reads H:MM:SS with any number of hours and an optional fraction of a second.
func clockDuration(text string) (float64, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || len(parts[1]) != 2 || len(strings.SplitN(parts[2], ".", 2)[0]) != 2 {
		return 0, false
	}
	var seconds float64
	for i, part := range parts {
		number, ok := unsignedDecimal(part)
		if !ok || i > 0 && number >= 60 || i < 2 && strings.Contains(part, ".") {
			return 0, false
		}
		seconds = seconds*60 + number
	}
	return seconds, true
}

// sumUnits reads a non-empty row of numbers that are each followed by a unit. It walks the text once.
func sumUnits(text string, units []unitLength) (float64, bool) {
	if text == "" {
		return 0, false
	}
	var seconds float64
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789."))
		number, ok := unsignedDecimal(text[:digits])
		if !ok {
			return 0, false
		}
		text = text[digits:]
		length, rest, ok := cutUnit(text, units)
		if !ok {
			return 0, false
		}
		seconds += number * length
		text = rest
	}
	return seconds, true
}

// cutUnit returns the length in seconds of the unit that text begins with, and what follows it.
func cutUnit(text string, units []unitLength) (float64, string, bool) {
	for _, unit := range units {
		if rest, ok := strings.CutPrefix(text, unit.name); ok {
			return unit.seconds, rest, true
		}
	}
	return 0, "", false
}

// unsignedDecimal reads digits with an optional fraction.
func unsignedDecimal(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	return decimal(text)
}
