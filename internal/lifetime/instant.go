package lifetime

import (
	"strings"
	"time"
)

// instant is a point in time as an answer states it.
type instant struct {
	at time.Time
	// zoned means that the answer says where on Earth the clock hangs; else UTC is an assumption.
	zoned bool
	// negative means a number below zero, which is taken as silence.
	negative bool
}

const (
	// maxInstantText bounds the text of an instant; the longest known is well below.
	maxInstantText = 64
	// lastUnix is the last second of the year 9999, the end of what RFC 3339 can write.
	lastUnix = 253402300799
)

// readInstant reads expiresAt or issuedAt: a Unix time, RFC 3339 and its common variations, or one of the three dates
// of HTTP (RFC 1123, RFC 850, asctime). Everything else is refused rather than guessed, since 01/02/2030 is a different
// day on either side of an ocean. The year 1 is what an unset time looks like in Go and .NET, hence silence.
func readInstant(claim any) (instant, verdict, error) {
	text, ok := textOf(claim)
	if !ok {
		return instant{}, silent, &InvalidError{Claim: claimExpiresAt, Problem: problemShape}
	}
	if text == "" {
		return instant{}, silent, nil
	}
	if number, ok := decimal(text); ok {
		i, said := unixInstant(number)
		return i, said, nil
	}
	i, ok := parseInstant(text)
	if !ok {
		return instant{}, silent, &InvalidError{Claim: claimExpiresAt, Problem: problemInstant}
	}
	if i.at.Year() <= 1 {
		return instant{}, silent, nil
	}
	return i, stated, nil
}

// unixInstant reads a Unix time in seconds, or in a fraction of them that follows from its magnitude: seconds reach
// 1e11 in the year 5138, and milliseconds were there in 1973.
func unixInstant(number float64) (instant, verdict) {
	switch {
	case number < 0:
		return instant{negative: true}, silent
	case number == 0:
		return instant{}, zero
	case number >= 1e17:
		number /= 1e9
	case number >= 1e14:
		number /= 1e6
	case number >= 1e11:
		number /= 1e3
	}
	whole := int64(min(number, lastUnix))
	fraction := min(number, lastUnix) - float64(whole)
	return instant{at: time.Unix(whole, int64(fraction*1e9)).UTC(), zoned: true}, stated
}

// The layouts of dates that begin with a year, after isoText, without and with a zone.
var (
	isoLocalLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}
	isoZonedLayouts = []string{"Z07:00", "Z0700", "Z07"}
)

// The layouts of dates that begin with a weekday and end with GMT. That is cut off before: time.Parse would take any
// other abbreviation as well, and give it the offset of UTC.
var httpLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05",
	"Monday, 2-Jan-06 15:04:05",
	"Mon, 2-Jan-2006 15:04:05",
}

// The layouts of dates that begin with a weekday and are parsed as they are.
const (
	offsetLayout  = "Mon, 2 Jan 2006 15:04:05 -0700"
	asctimeLayout = "Mon Jan _2 15:04:05 2006"
)

// parseInstant reads the text of an instant that is no number.
func parseInstant(text string) (instant, bool) {
	if len(text) > maxInstantText {
		return instant{}, false
	}
	if text[0] >= '0' && text[0] <= '9' {
		return parseISO(text)
	}
	if at, ok := parseAny(text, asctimeLayout); ok {
		return instant{at: at}, true
	}
	if at, ok := parseAny(text, offsetLayout); ok {
		return instant{at: at, zoned: true}, true
	}
	local, ok := cutUTC(text)
	if !ok {
		return instant{}, false
	}
	at, ok := parseAny(local, httpLayouts...)
	return instant{at: at, zoned: true}, ok
}

// parseISO reads RFC 3339 with 'T' or a space, in either case, with or without a fraction, seconds or a zone.
func parseISO(text string) (instant, bool) {
	local, zoned := cutUTC(text)
	if len(local) > 10 && strings.ContainsRune("tT ", rune(local[10])) {
		local = local[:10] + "T" + strings.Replace(local[11:], " ", "", 1) // A space may stand before the offset.
	}
	for _, layout := range isoLocalLayouts {
		if at, ok := parseAny(local, layout); ok {
			return instant{at: at, zoned: zoned}, true
		}
		for _, zone := range isoZonedLayouts {
			if at, ok := parseAny(local, layout+zone); ok {
				return instant{at: at, zoned: true}, true
			}
		}
	}
	return instant{}, false
}

// cutUTC cuts off a name of UTC at the end of text, if there is one.
func cutUTC(text string) (string, bool) {
	for _, name := range []string{" GMT", " UTC", " UT", "Z", "z"} {
		if local, ok := strings.CutSuffix(text, name); ok {
			return strings.TrimRight(local, " "), true
		}
	}
	return text, false
}

// parseAny returns what the first layout that fits makes of text, in UTC whatever the machine's own zone is.
func parseAny(text string, layouts ...string) (time.Time, bool) {
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}
