package lifetime_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

func TestReadRefreshToken(t *testing.T) {
	sent := time.Date(2026, 3, 14, 9, 26, 53, 500_000_000, time.UTC)
	received := sent.Add(200 * time.Millisecond)
	base := sent.Truncate(time.Second)
	for name, test := range map[string]struct {
		claim any
		date  string
		want  time.Duration // after the base; 0 where nothing is known
	}{
		"a number":                           {claim: json.Number("86399"), want: 86399 * time.Second},
		"text":                               {claim: "86399", want: 86399 * time.Second},
		"white space around it":              {claim: " 86399 ", want: 86399 * time.Second},
		"a fraction":                         {claim: json.Number("1799.99"), want: 1799 * time.Second},
		"a float":                            {claim: 1800.0, want: 1800 * time.Second},
		"an int64":                           {claim: int64(1800), want: 1800 * time.Second},
		"five years":                         {claim: json.Number("157680000"), want: 157680000 * time.Second},
		"the longest lifetime":               {claim: "999999999", want: 999999999 * time.Second},
		"hours":                              {claim: "24h", want: 24 * time.Hour},
		"ISO 8601":                           {claim: "P14D", want: 14 * 24 * time.Hour},
		"RFC 3339":                           {claim: "2026-03-15T09:26:53Z", want: 24 * time.Hour},
		"RFC 3339 with a fraction":           {claim: "2026-03-15T09:26:53.999Z", want: 24 * time.Hour},
		"an offset":                          {claim: "2026-03-15T11:26:53+02:00", want: 24 * time.Hour},
		"an HTTP date":                       {claim: "Sun, 15 Mar 2026 09:26:53 GMT", want: 24 * time.Hour},
		"a time":                             {claim: base.Add(time.Hour), want: time.Hour},
		"Unix seconds":                       {claim: json.Number("1773566813"), want: 24 * time.Hour},
		"Unix milliseconds":                  {claim: "1773566813000", want: 24 * time.Hour},
		"a clock that is ahead":              {claim: "2026-03-15T09:36:53Z", date: "Sat, 14 Mar 2026 09:36:53 GMT", want: 24 * time.Hour},
		"a clock ahead, seconds":             {claim: "60", date: "Sat, 14 Mar 2026 09:36:53 GMT", want: time.Minute},
		"the last moment":                    {claim: "1", want: time.Second},
		"less than that":                     {claim: "0.9"},
		"absent":                             {},
		"empty":                              {claim: ""},
		"zero":                               {claim: json.Number("0")},
		"zero as text":                       {claim: "0"},
		"no duration":                        {claim: "0s"},
		"negative":                           {claim: json.Number("-1")},
		"a negative duration":                {claim: "-1h"},
		"true":                               {claim: true},
		"an object":                          {claim: map[string]any{"seconds": json.Number("5")}},
		"words":                              {claim: "never"},
		"an instant that is past":            {claim: "2026-03-14T09:26:53Z"},
		"a number that is past":              {claim: "1000000000"},
		"the end of the calendar":            {claim: "9999-12-31T23:59:59Z"},
		"an unset time":                      {claim: "0001-01-01T00:00:00Z"},
		"more than int64":                    {claim: json.Number("92233720368547758079")},
		"more than float64":                  {claim: json.Number("1e999")},
		"a day that differs over the ocean":  {claim: "01/02/2030"},
		"a duration of a century":            {claim: "5214w"},
		"a duration in ISO 8601, a century":  {claim: "P5300W"},
		"a duration longer than Go's own":    {claim: "9999999999h"},
		"a text that begins like a duration": {claim: "24h x"},
	} {
		t.Run(name, func(t *testing.T) {
			got, known := lifetime.ReadRefreshToken(test.claim, lifetime.Claims{Date: test.date}, sent, received)
			want := time.Time{}
			if test.want != 0 {
				want = base.Add(test.want)
			}
			if !got.Equal(want) || known != (test.want != 0) || got.Location() != time.UTC {
				t.Errorf("got %s, %t, want %s", got, known, want)
			}
		})
	}
}

func TestReadRefreshTokenIgnoresTheDateOfACache(t *testing.T) {
	sent := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	claims := lifetime.Claims{Date: "Sat, 14 Mar 2026 09:16:53 GMT", Age: "600"}
	got, _ := lifetime.ReadRefreshToken("2026-03-15T09:26:53Z", claims, sent, sent)
	if want := sent.Add(24 * time.Hour); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzReadRefreshToken(f *testing.F) {
	for _, text := range []string{"86399", "0", "-1", "24h", "P14D", "2026-03-15T09:26:53Z", "1773566813000", "1e999", "never"} {
		f.Add(text, uint8(1), int64(1773480413), "Sat, 14 Mar 2026 09:36:53 GMT")
		f.Add(text, uint8(4), int64(1773480413), "")
	}
	f.Fuzz(func(t *testing.T, text string, shape uint8, second int64, date string) {
		sent := instantOf(second)
		got, known := lifetime.ReadRefreshToken(claimOf(text, shape), lifetime.Claims{Date: date}, sent, sent.Add(time.Second))
		if known == got.IsZero() {
			t.Fatalf("got %s, %t", got, known)
		}
		if known && (!got.After(sent) || got.Sub(sent) > 101*365*24*time.Hour || got.Nanosecond() != 0) {
			t.Errorf("got %s after %s", got, sent)
		}
	})
}
