package lifetime_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

func TestReadExpiresAtFormats(t *testing.T) {
	// 09:46:53, twenty minutes after the request.
	for name, value := range map[string]any{
		"RFC 3339 in UTC":                   "2026-03-14T09:46:53Z",
		"RFC 3339 with an offset":           "2026-03-14T05:16:53-04:30",
		"RFC 3339 with a fraction":          "2026-03-14T09:46:53.999999999Z",
		"RFC 3339 with fraction and offset": "2026-03-14T11:46:53.5+02:00",
		"RFC 3339 in lower case":            "2026-03-14t09:46:53z",
		"RFC 3339 with a space":             "2026-03-14 09:46:53Z",
		"a space and an offset":             "2026-03-14 11:46:53+02:00",
		"a space before the offset":         "2026-03-14 11:46:53 +0200",
		"an offset without colon":           "2026-03-14T11:46:53+0200",
		"an offset of hours":                "2026-03-14T11:46:53+02",
		"no zone":                           "2026-03-14T09:46:53",
		"no zone, a space and a fraction":   "2026-03-14 09:46:53.25",
		"UTC by name":                       "2026-03-14 09:46:53 UTC",
		"Go's own text":                     "2026-03-14 09:46:53 +0000 UTC",
		"RFC 1123":                          "Sat, 14 Mar 2026 09:46:53 GMT",
		"RFC 1123 with an offset":           "Sat, 14 Mar 2026 11:46:53 +0200",
		"RFC 850":                           "Saturday, 14-Mar-26 09:46:53 GMT",
		"the date of a cookie":              "Sat, 14-Mar-2026 09:46:53 GMT",
		"asctime":                           "Sat Mar 14 09:46:53 2026",
		"Unix seconds":                      json.Number("1773481613"),
		"Unix seconds in quotes":            "1773481613",
		"Unix seconds with a fraction":      json.Number("1773481613.75"),
		"Unix seconds with an exponent":     json.Number("1.773481613e9"),
		"Unix milliseconds":                 json.Number("1773481613250"),
		"Unix milliseconds in quotes":       "1773481613000",
		"Unix microseconds":                 json.Number("1773481613250000"),
		"Unix microseconds in quotes":       "1773481613000000",
		"Unix nanoseconds":                  json.Number("1773481613250000000"),
		"Unix seconds that Go decoded":      float64(1773481613),
		"an instant that Go decoded":        time.Date(2026, 3, 14, 9, 46, 53, 7, time.UTC),
		"spaces around":                     " 2026-03-14T09:46:53Z ",
		"RFC 1123 with UTC for GMT":         "Sat, 14 Mar 2026 09:46:53 UTC",
	} {
		t.Run(name, func(t *testing.T) {
			readCase{claims: lifetime.Claims{ExpiresAt: value}, want: 20 * time.Minute}.run(t)
		})
	}
}

func TestReadExpiresAtEdges(t *testing.T) {
	hour := lifetime.Rules{Default: time.Hour}
	for name, c := range map[string]struct {
		value    any
		rules    lifetime.Rules
		want     time.Duration
		wantErr  string
		warnings []lifetime.Warning
	}{
		"null is missing":                    {value: nil},
		"an empty text is missing":           {value: ""},
		"the year 1 is missing":              {value: "0001-01-01T00:00:00Z"},
		"the year 1 gives way to a default":  {value: "0001-01-01T00:00:00Z", rules: hour, want: time.Hour},
		"zero is refused":                    {value: json.Number("0"), wantErr: "expiresAt is 0 and lifetime.default is not set"},
		"zero gives way to a default":        {value: json.Number("0"), rules: hour, want: time.Hour},
		"minus one is missing":               {value: "-1", warnings: warn(lifetime.NegativeLifetime)},
		"the past":                           {value: "2026-03-14T09:26:52Z", wantErr: "expiresAt is in the past"},
		"the past despite a default":         {value: "2026-03-14T09:26:52Z", rules: hour, wantErr: "expiresAt is in the past"},
		"the very instant":                   {value: "2026-03-14T09:26:53Z", wantErr: "expiresAt is in the past"},
		"within the second":                  {value: "2026-03-14T09:26:53.9Z", wantErr: "lifetime is under one second"},
		"the next second":                    {value: "2026-03-14T09:26:54Z", want: time.Second, warnings: warn(lifetime.ShortLifetime)},
		"a lifetime instead of an instant":   {value: json.Number("3600"), wantErr: "expiresAt is in the past"},
		"milliseconds of the last century":   {value: json.Number("420262924658"), wantErr: "expiresAt is in the past"},
		"the end of time":                    {value: "9999-12-31T23:59:59Z", want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"the largest int64":                  {value: json.Number("9223372036854775807"), want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"beyond int64":                       {value: json.Number("1e30"), want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"beyond a float64":                   {value: "1e400", want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"a date of some culture":             {value: "3/14/2026 9:46:53 AM", wantErr: "expiresAt is neither RFC 3339, an HTTP date nor a Unix time"},
		"a date of another culture":          {value: "14.03.2026 09:46:53", wantErr: "expiresAt is neither RFC 3339"},
		"a date of a culture with an offset": {value: "3/14/2026 09:46:53 AM +00:00", wantErr: "expiresAt is neither RFC 3339"},
		"a date without a time":              {value: "2026-03-14", wantErr: "expiresAt is neither RFC 3339"},
		"a zone that only its people know":   {value: "Sat, 14 Mar 2026 04:46:53 EST", wantErr: "expiresAt is neither RFC 3339"},
		"an ISO date with such a zone":       {value: "2026-03-14 11:46:53 CEST", wantErr: "expiresAt is neither RFC 3339"},
		"RFC 1123 without a zone":            {value: "Sat, 14 Mar 2026 09:46:53", wantErr: "expiresAt is neither RFC 3339"},
		"a day that does not exist":          {value: "2026-02-30T09:46:53Z", wantErr: "expiresAt is neither RFC 3339"},
		"a very long text":                   {value: string(make([]byte, 1<<16)), wantErr: "expiresAt is neither RFC 3339"},
		"NaN":                                {value: "NaN", wantErr: "expiresAt is neither RFC 3339"},
		"true":                               {value: true, wantErr: "expiresAt is neither a number nor a text"},
		"an object":                          {value: map[string]any{}, wantErr: "expiresAt is neither a number nor a text"},
		"an array":                           {value: []any{}, wantErr: "expiresAt is neither a number nor a text"},
	} {
		t.Run(name, func(t *testing.T) {
			readCase{
				claims: lifetime.Claims{ExpiresAt: c.value}, rules: c.rules,
				want: c.want, wantErr: c.wantErr, warnings: c.warnings,
			}.run(t)
		})
	}
}

func TestReadClockSkew(t *testing.T) {
	at := func(offset time.Duration) string { return base.Add(offset).Format(time.RFC3339) }
	date := func(offset time.Duration) string {
		return base.Add(offset).Format("Mon, 02 Jan 2006 15:04:05") + " GMT"
	}
	// The middle of the request is 600 ms after the base.
	for name, c := range map[string]readCase{
		"a clock that agrees":                  {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(0)}, want: time.Hour},
		"a clock 1.4 s ahead is noise":         {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(2 * time.Second)}, want: time.Hour},
		"a clock 1.6 s behind is noise":        {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(-time.Second)}, want: time.Hour},
		"a clock 9.4 s ahead":                  {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(10 * time.Second)}, want: time.Hour - 10*time.Second},
		"a clock 10.6 s behind":                {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(-10 * time.Second)}, want: time.Hour + 10*time.Second},
		"a clock an hour ahead":                {claims: lifetime.Claims{ExpiresAt: at(2 * time.Hour), Date: date(time.Hour)}, want: time.Hour, warnings: warn(lifetime.ClockSkew)},
		"a clock an hour behind":               {claims: lifetime.Claims{ExpiresAt: at(-40 * time.Minute), Date: date(-time.Hour)}, want: 20 * time.Minute, warnings: warn(lifetime.ClockSkew)},
		"past only by the provider's clock":    {claims: lifetime.Claims{ExpiresAt: at(30 * time.Minute), Date: date(time.Hour)}, wantErr: "expiresAt is in the past", warnings: warn(lifetime.ClockSkew)},
		"a Date as RFC 850":                    {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: base.Add(10*time.Second).Format("Monday, 02-Jan-06 15:04:05") + " GMT"}, want: time.Hour - 10*time.Second},
		"a Date as asctime":                    {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: base.Add(10 * time.Second).Format(time.ANSIC)}, want: time.Hour - 10*time.Second},
		"an answer from a cache":               {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(-10 * time.Minute), Age: "600"}, want: time.Hour},
		"an age of zero is fresh":              {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(10 * time.Second), Age: " 0 "}, want: time.Hour - 10*time.Second},
		"an age that is no number":             {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: date(time.Hour), Age: "young"}, want: time.Hour},
		"no Date":                              {claims: lifetime.Claims{ExpiresAt: at(time.Hour)}, want: time.Hour},
		"a Date that cannot be read":           {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: "yesterday"}, want: time.Hour},
		"a Date that is no HTTP date":          {claims: lifetime.Claims{ExpiresAt: at(time.Hour), Date: "1773481613"}, want: time.Hour},
		"skew does not touch expiresIn":        {claims: lifetime.Claims{ExpiresIn: "3600", Date: date(time.Hour)}, want: time.Hour, warnings: warn(lifetime.ClockSkew)},
		"skew does not touch a difference":     {claims: lifetime.Claims{ExpiresAt: at(2 * time.Hour), IssuedAt: at(time.Hour), Date: date(time.Hour)}, want: time.Hour, warnings: warn(lifetime.ClockSkew)},
		"a difference needs no Date":           {claims: lifetime.Claims{ExpiresAt: at(-2 * time.Hour), IssuedAt: at(-3 * time.Hour)}, want: time.Hour},
		"a difference of local times":          {claims: lifetime.Claims{ExpiresAt: "2026-03-14T02:26:53", IssuedAt: "2026-03-14T01:26:53", Date: date(0)}, want: time.Hour},
		"a difference of a clock of its own":   {claims: lifetime.Claims{ExpiresAt: at(-2 * time.Hour), IssuedAt: at(-3 * time.Hour), Date: date(0)}, want: time.Hour, warnings: warn(lifetime.ExpiresAtPast)},
		"a difference of numbers and texts":    {claims: lifetime.Claims{ExpiresAt: at(time.Hour), IssuedAt: json.Number("1773480413000")}, want: time.Hour},
		"a token that was issued a while ago":  {claims: lifetime.Claims{ExpiresAt: at(10 * time.Minute), IssuedAt: at(-50 * time.Minute), Date: date(0)}, want: 10 * time.Minute, warnings: warn(lifetime.SourcesDisagree)},
		"a token issued a few seconds ago":     {claims: lifetime.Claims{ExpiresAt: at(time.Hour - 10*time.Second), IssuedAt: at(-10 * time.Second), Date: date(0)}, want: time.Hour - 10*time.Second},
		"the Date's rounding is no such thing": {claims: lifetime.Claims{ExpiresAt: at(time.Hour - 2*time.Second), IssuedAt: at(-2 * time.Second), Date: date(0)}, want: time.Hour},
		"an issue after the expiry is ignored": {claims: lifetime.Claims{ExpiresAt: at(time.Hour), IssuedAt: at(2 * time.Hour)}, want: time.Hour},
		"an issue that cannot be read":         {claims: lifetime.Claims{ExpiresAt: at(time.Hour), IssuedAt: "noon"}, want: time.Hour, warnings: warn(lifetime.IssuedAtUnreadable)},
		"an issue alone says nothing":          {claims: lifetime.Claims{IssuedAt: at(0)}},
		"an issue alone need not be readable":  {claims: lifetime.Claims{IssuedAt: true}},
		"the gateway that quotes every number": {claims: lifetime.Claims{ExpiresIn: "1799", IssuedAt: "1420262924658", Date: date(0)}, want: 1799 * time.Second},
	} {
		t.Run(name, c.run)
	}
}

func TestReadSlowAnswer(t *testing.T) {
	claims := lifetime.Claims{ExpiresIn: "3600", Date: "Sat, 14 Mar 2026 09:28:13 GMT"} // 80 s after the base
	slow := sent.Add(80 * time.Second)
	token, warnings, err := lifetime.Read(claims, lifetime.Rules{}, sent, slow)
	if want := (lifetime.Token{IssuedAt: base, ExpiresAt: base.Add(time.Hour)}); err != nil || token != want {
		t.Errorf("got %v, %v; the life must count from the request: %v", token, err, want)
	}
	checkWarnings(t, warnings, nil) // 39.5 s off the middle, within what the answer's slowness explains

	claims = lifetime.Claims{ExpiresAt: "2026-03-14T10:26:53Z", Date: "Sat, 14 Mar 2026 09:27:33 GMT"}
	token, _, err = lifetime.Read(claims, lifetime.Rules{}, sent, slow)
	if want := base.Add(time.Hour); err != nil || !token.ExpiresAt.Equal(want) {
		t.Errorf("a Date in the middle of a slow request: got %v, %v, want %v", token, err, want)
	}
}

func TestReadSourcesTogether(t *testing.T) {
	at := func(offset time.Duration) string { return base.Add(offset).Format(time.RFC3339) }
	now := "Sat, 14 Mar 2026 09:26:53 GMT"
	disagree := warn(lifetime.SourcesDisagree)
	for name, c := range map[string]readCase{
		"a truncated expiresIn goes before the difference": {claims: lifetime.Claims{
			ExpiresIn: json.Number("1199"), IssuedAt: "Thu, 01 Dec 2022 19:59:20 GMT", ExpiresAt: "Thu, 01 Dec 2022 20:19:20 GMT",
		}, want: 1199 * time.Second},
		"a longer expiresIn within a tenth goes first": {claims: lifetime.Claims{ExpiresIn: "1320", IssuedAt: at(0), ExpiresAt: at(20 * time.Minute)}, want: 1320 * time.Second},
		"a shorter difference wins beyond a tenth":     {claims: lifetime.Claims{ExpiresIn: "3600", IssuedAt: at(0), ExpiresAt: at(20 * time.Minute)}, want: 20 * time.Minute, warnings: disagree},
		"a shorter difference just beyond a tenth":     {claims: lifetime.Claims{ExpiresIn: "1350", IssuedAt: at(0), ExpiresAt: at(20 * time.Minute)}, want: 20 * time.Minute, warnings: disagree},
		"a shorter expiresIn wins beyond a tenth":      {claims: lifetime.Claims{ExpiresIn: "600", IssuedAt: at(0), ExpiresAt: at(20 * time.Minute)}, want: 10 * time.Minute, warnings: disagree},
		"milliseconds give way to the difference":      {claims: lifetime.Claims{ExpiresIn: "1200000", IssuedAt: at(0), ExpiresAt: at(20 * time.Minute)}, want: 20 * time.Minute, warnings: disagree},
		"expiresAt alone proves nothing without Date":  {claims: lifetime.Claims{ExpiresIn: "3600", ExpiresAt: at(20 * time.Minute)}, want: time.Hour},
		"expiresAt alone counts with a Date":           {claims: lifetime.Claims{ExpiresIn: "3600", ExpiresAt: at(20 * time.Minute), Date: now}, want: 20 * time.Minute, warnings: disagree},
		"a later expiresAt never adds":                 {claims: lifetime.Claims{ExpiresIn: "3600", ExpiresAt: at(2 * time.Hour), Date: now}, want: time.Hour, warnings: disagree},
		"expiresAt without a zone proves nothing":      {claims: lifetime.Claims{ExpiresIn: "3600", ExpiresAt: "2026-03-14T09:46:53", Date: now}, want: time.Hour},
		"a short token within the Date's rounding":     {claims: lifetime.Claims{ExpiresIn: "10", ExpiresAt: at(8 * time.Second), Date: now}, want: 10 * time.Second, warnings: warn(lifetime.ShortLifetime)},
		"expiresAt in the past beside expiresIn":       {claims: lifetime.Claims{ExpiresIn: "3600", ExpiresAt: at(-time.Hour), Date: now}, want: time.Hour, warnings: warn(lifetime.ExpiresAtPast)},
		"expiresAt of a culture beside expiresIn":      {claims: lifetime.Claims{ExpiresIn: "1199", ExpiresAt: "3/14/2026 9:46:53 AM", IssuedAt: "3/14/2026 9:26:53 AM"}, want: 1199 * time.Second, warnings: warn(lifetime.ExpiresAtUnreadable)},
		"expiresIn of zero gives way to expiresAt":     {claims: lifetime.Claims{ExpiresIn: "0", ExpiresAt: at(time.Hour)}, want: time.Hour},
		"a negative expiresIn gives way to expiresAt":  {claims: lifetime.Claims{ExpiresIn: "-1", ExpiresAt: at(time.Hour)}, want: time.Hour, warnings: warn(lifetime.NegativeLifetime)},
		"an empty expiresIn gives way to expiresAt":    {claims: lifetime.Claims{ExpiresIn: "", ExpiresAt: at(time.Hour)}, want: time.Hour},
		"an unusable expiresIn is refused all the same": {
			claims: lifetime.Claims{ExpiresIn: true, ExpiresAt: at(time.Hour)}, wantErr: "expiresIn is neither a number nor a text",
		},
		"expiresAt goes before the default": {claims: lifetime.Claims{ExpiresAt: at(time.Hour)}, rules: lifetime.Rules{Default: time.Minute}, want: time.Hour},
		"one warning is given once":         {claims: lifetime.Claims{ExpiresIn: "-1", ExpiresAt: "-1"}, warnings: warn(lifetime.NegativeLifetime)},
	} {
		t.Run(name, c.run)
	}
}
