package lifetime

import "time"

// instantFrom is the least number that states an instant rather than a lifetime: as seconds since 1970 it is in 2001,
// and as a lifetime it is longer than thirty years.
const instantFrom = 1e9

// ReadRefreshToken works out when a refresh token expires, by our clock and in whole seconds, rounded so that it never
// seems to live longer than it does. claim is what the answer says: seconds, a duration such as "24h" or "PT20M", or an
// instant in any form that Read knows. Of c only the headers count. sent is our clock just before the request, received
// just after the answer.
//
// It returns false where nothing is known: the claim is absent, empty, cannot be read, or is 0 or negative, both of
// which some answer for "never"; it is a century away, which means the same; or it is past, since no answer brings what
// has expired already.
func ReadRefreshToken(claim any, c Claims, sent, received time.Time) (time.Time, bool) {
	base := sent.UTC().Truncate(time.Second)
	text, ok := textOf(claim)
	if !ok {
		return time.Time{}, false
	}
	var expires time.Time
	if seconds, ok := relativeSeconds(text); ok {
		expires = base.Add(wholeSeconds(max(seconds, 0)))
	} else {
		i, said, err := readInstant(claim)
		if err != nil || said != stated {
			return time.Time{}, false
		}
		expires = i.at.Add(-readServerClock(c.Date, c.Age, sent, received).offset).Truncate(time.Second)
	}
	if life := expires.Sub(base); life <= 0 || life >= forever {
		return time.Time{}, false
	}
	return expires, true
}

// relativeSeconds reads a lifetime without a unit of its own: a number of seconds, or a duration.
func relativeSeconds(text string) (float64, bool) {
	if number, ok := decimal(text); ok {
		return number, number < instantFrom
	}
	return durationText(text)
}
