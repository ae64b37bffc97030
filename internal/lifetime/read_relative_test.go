package lifetime_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
)

// The instants of most tests: a request that took 200 ms, begun half way through a second.
var (
	base     = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	sent     = base.Add(500 * time.Millisecond)
	received = sent.Add(200 * time.Millisecond)
)

// readCase is one row of a table for Read.
type readCase struct {
	claims   lifetime.Claims
	rules    lifetime.Rules
	want     time.Duration // 0: the lifetime is unknown
	wantErr  string        // a part of the error
	warnings []lifetime.Warning
}

func (c readCase) run(t *testing.T) {
	t.Helper()
	token, warnings, err := lifetime.Read(c.claims, c.rules, sent, received)
	checkWarnings(t, warnings, c.warnings)
	if c.wantErr != "" {
		var invalid *lifetime.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.wantErr) {
			t.Fatalf("got %v and error %v, want an InvalidError with %q", token, err, c.wantErr)
		}
		if token != (lifetime.Token{}) {
			t.Errorf("got %v beside an error", token)
		}
		return
	}
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
	want := lifetime.Token{IssuedAt: base}
	if c.want != 0 {
		want.ExpiresAt = base.Add(c.want)
	}
	if token != want {
		t.Errorf("got %v, want %v", token, want)
	}
}

func checkWarnings(t *testing.T, got, want []lifetime.Warning) {
	t.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = got[i] == want[i]
	}
	if !same {
		t.Errorf("got warnings %q, want %q", got, want)
	}
}

func warn(w ...lifetime.Warning) []lifetime.Warning { return w }

const thirtyDays = 720 * time.Hour

func TestReadExpiresIn(t *testing.T) {
	hour := lifetime.Rules{Default: time.Hour}
	for name, c := range map[string]struct {
		value    any
		rules    lifetime.Rules
		want     time.Duration
		wantErr  string
		warnings []lifetime.Warning
	}{
		"a whole number":                              {value: json.Number("1199"), want: 1199 * time.Second},
		"a whole number in quotes":                    {value: "5099", want: 5099 * time.Second},
		"a number in quotes with spaces around it":    {value: " 5099\n", want: 5099 * time.Second},
		"a number with a fraction of zero":            {value: json.Number("3600.0"), want: time.Hour},
		"a number with an exponent":                   {value: json.Number("3.6e3"), want: time.Hour},
		"a fraction is dropped":                       {value: "3599.99", want: 3599 * time.Second},
		"a number that Go has decoded already":        {value: 3600.5, want: time.Hour},
		"an integer that Go has decoded already":      {value: int64(3600), want: time.Hour},
		"a small integer that Go has decoded":         {value: 3600, want: time.Hour},
		"an unsigned integer that Go has decoded":     {value: uint64(3600), want: time.Hour},
		"an empty text is missing":                    {value: ""},
		"a blank text is missing":                     {value: "  "},
		"null is missing":                             {value: nil},
		"an empty text gives way to the default":      {value: "", rules: hour, want: time.Hour},
		"null gives way to the default":               {value: nil, rules: hour, want: time.Hour},
		"the default is no more believed":             {rules: lifetime.Rules{Default: 2 * thirtyDays}, want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"a default below zero is none":                {rules: lifetime.Rules{Default: -time.Hour}},
		"zero is refused":                             {value: json.Number("0"), wantErr: "expiresIn is 0 and lifetime.default is not set"},
		"zero in quotes is refused":                   {value: "0", wantErr: "expiresIn is 0"},
		"zero with a fraction is refused":             {value: "-0.0", wantErr: "expiresIn is 0"},
		"zero gives way to the default":               {value: json.Number("0"), rules: hour, want: time.Hour},
		"minus one is missing":                        {value: json.Number("-1"), warnings: warn(lifetime.NegativeLifetime)},
		"minus one in quotes is missing":              {value: "-1", warnings: warn(lifetime.NegativeLifetime)},
		"any negative number is missing":              {value: json.Number("-3600.5"), warnings: warn(lifetime.NegativeLifetime)},
		"the least int64 is missing":                  {value: json.Number("-9223372036854775808"), warnings: warn(lifetime.NegativeLifetime)},
		"minus infinity by exponent is missing":       {value: json.Number("-1e400"), warnings: warn(lifetime.NegativeLifetime)},
		"minus one gives way to the default":          {value: json.Number("-1"), rules: hour, want: time.Hour, warnings: warn(lifetime.NegativeLifetime)},
		"milliseconds that pass for seconds":          {value: json.Number("86399956"), want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"the maximum itself is believed":              {value: json.Number("2592000"), want: thirtyDays},
		"a maximum of the user's own":                 {value: json.Number("3600"), rules: lifetime.Rules{Maximum: 90 * time.Second}, want: 90 * time.Second, warnings: warn(lifetime.ClampedToMaximum)},
		"a maximum above the ordinary":                {value: json.Number("7776000"), rules: lifetime.Rules{Maximum: 2400 * time.Hour}, want: 2160 * time.Hour},
		"a maximum of a second and a half":            {value: json.Number("60"), rules: lifetime.Rules{Maximum: 1500 * time.Millisecond}, want: time.Second, warnings: warn(lifetime.ClampedToMaximum, lifetime.ShortLifetime)},
		"a maximum below zero is the ordinary":        {value: json.Number("3e6"), rules: lifetime.Rules{Maximum: -1}, want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"the largest int64":                           {value: json.Number("9223372036854775807"), want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"beyond int64":                                {value: json.Number("9223372036854775808"), want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"a hundred digits":                            {value: strings.Repeat("9", 100), want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"beyond a float64":                            {value: json.Number("1e400"), want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)},
		"the largest maximum does not overflow":       {value: json.Number("1e400"), rules: lifetime.Rules{Maximum: 1<<63 - 1}, want: 876000 * time.Hour, warnings: nil},
		"NaN":                                         {value: "NaN", wantErr: "expiresIn is not a number"},
		"Infinity":                                    {value: "Infinity", wantErr: "expiresIn is not a number"},
		"inf":                                         {value: "inf", wantErr: "expiresIn is not a number"},
		"a hexadecimal number":                        {value: "0x10", wantErr: "expiresIn is not a number"},
		"a thousands separator":                       {value: "3,600", wantErr: "expiresIn is not a number"},
		"signs alone":                                 {value: "+-", wantErr: "expiresIn is not a number"},
		"a word":                                      {value: "never", wantErr: "expiresIn is not a number"},
		"a duration where seconds are expected":       {value: "1h", wantErr: "set lifetime.expiresInUnit to Duration"},
		"an ISO duration where seconds are expected":  {value: "PT20M", wantErr: "set lifetime.expiresInUnit to Duration"},
		"a clock where seconds are expected":          {value: "00:20:00", wantErr: "set lifetime.expiresInUnit to Duration"},
		"true":                                        {value: true, wantErr: "expiresIn is neither a number nor a text"},
		"an object":                                   {value: map[string]any{"seconds": json.Number("60")}, wantErr: "expiresIn is neither a number nor a text"},
		"an array":                                    {value: []any{json.Number("60")}, wantErr: "expiresIn is neither a number nor a text"},
		"true is refused even if there is a default":  {value: true, rules: hour, wantErr: "expiresIn is neither a number nor a text"},
		"half a second is refused":                    {value: "0.5", wantErr: "lifetime is under one second"},
		"half a second is refused despite a default":  {value: "0.5", rules: hour, wantErr: "lifetime is under one second"},
		"one second":                                  {value: "1", want: time.Second, warnings: warn(lifetime.ShortLifetime)},
		"just shorter than the kubelet's propagation": {value: "89", want: 89 * time.Second, warnings: warn(lifetime.ShortLifetime)},
		"as long as the kubelet's propagation":        {value: "90", want: 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			readCase{
				claims: lifetime.Claims{ExpiresIn: c.value}, rules: c.rules,
				want: c.want, wantErr: c.wantErr, warnings: c.warnings,
			}.run(t)
		})
	}
}

func TestReadExpiresInUnits(t *testing.T) {
	for name, c := range map[string]struct {
		unit    lifetime.Unit
		value   any
		want    time.Duration
		wantErr string
	}{
		"seconds by name":                         {lifetime.Seconds, "3600", time.Hour, ""},
		"a unit that is not known is seconds":     {"Fortnights", "3600", time.Hour, ""},
		"milliseconds":                            {lifetime.Milliseconds, json.Number("86399956"), 86399 * time.Second, ""},
		"milliseconds without rounding error":     {lifetime.Milliseconds, json.Number("5100000"), 5100 * time.Second, ""},
		"too few milliseconds":                    {lifetime.Milliseconds, "999", 0, "lifetime is under one second"},
		"minutes":                                 {lifetime.Minutes, "90", 90 * time.Minute, ""},
		"half minutes":                            {lifetime.Minutes, "2.5", 150 * time.Second, ""},
		"no durations under milliseconds":         {lifetime.Milliseconds, "1h", 0, "expiresIn is not a number"},
		"an hour":                                 {lifetime.Duration, "1h", time.Hour, ""},
		"an hour and a half":                      {lifetime.Duration, "1h30m", 90 * time.Minute, ""},
		"an hour and a half by fraction":          {lifetime.Duration, "1.5h", 90 * time.Minute, ""},
		"days":                                    {lifetime.Duration, "7d", 168 * time.Hour, ""},
		"milliseconds in a duration":              {lifetime.Duration, "90000ms", 90 * time.Second, ""},
		"upper case":                              {lifetime.Duration, "2H", 2 * time.Hour, ""},
		"a plus sign":                             {lifetime.Duration, "+2h", 2 * time.Hour, ""},
		"ISO minutes":                             {lifetime.Duration, "PT20M", 20 * time.Minute, ""},
		"ISO with all parts":                      {lifetime.Duration, "P1W1DT1H1M1.5S", 8*24*time.Hour + time.Hour + time.Minute + time.Second, ""},
		"ISO days alone":                          {lifetime.Duration, "P2D", 48 * time.Hour, ""},
		"ISO in lower case":                       {lifetime.Duration, "pt20m", 20 * time.Minute, ""},
		"ISO months have no length":               {lifetime.Duration, "P1M", 0, "expiresIn is neither a number nor a duration"},
		"ISO years have no length":                {lifetime.Duration, "P1Y", 0, "expiresIn is neither a number nor a duration"},
		"ISO with an empty time":                  {lifetime.Duration, "P1DT", 0, "expiresIn is neither a number nor a duration"},
		"ISO of nothing":                          {lifetime.Duration, "P", 0, "expiresIn is neither a number nor a duration"},
		"a clock":                                 {lifetime.Duration, "00:20:00", 20 * time.Minute, ""},
		"a clock with many hours":                 {lifetime.Duration, "177:05:38", 177*time.Hour + 5*time.Minute + 38*time.Second, ""},
		"a clock with a fraction":                 {lifetime.Duration, "0:20:00.9999999", 20 * time.Minute, ""},
		"a clock with 60 minutes":                 {lifetime.Duration, "00:60:00", 0, "expiresIn is neither a number nor a duration"},
		"a clock with 60 seconds":                 {lifetime.Duration, "00:20:60", 0, "expiresIn is neither a number nor a duration"},
		"a clock without seconds":                 {lifetime.Duration, "20:00", 0, "expiresIn is neither a number nor a duration"},
		"a clock with a sign inside":              {lifetime.Duration, "00:-2:00", 0, "expiresIn is neither a number nor a duration"},
		"a clock with a fraction of a minute":     {lifetime.Duration, "00:.2:00", 0, "expiresIn is neither a number nor a duration"},
		"a bare number is seconds":                {lifetime.Duration, json.Number("1199"), 1199 * time.Second, ""},
		"a number whose unit is not known":        {lifetime.Duration, "3 fortnights", 0, "expiresIn is neither a number nor a duration"},
		"two signs":                               {lifetime.Duration, "--1h", 0, "expiresIn is neither a number nor a duration"},
		"a sign alone":                            {lifetime.Duration, "-", 0, "expiresIn is neither a number nor a duration"},
		"a duration of zero":                      {lifetime.Duration, "0h", 0, "expiresIn is 0"},
		"two points":                              {lifetime.Duration, "1.2.3h", 0, "expiresIn is neither a number nor a duration"},
		"a number without a unit in a duration":   {lifetime.Duration, "1h30", 0, "expiresIn is neither a number nor a duration"},
		"an exponent in a duration is no number":  {lifetime.Duration, "1e3h", 0, "expiresIn is neither a number nor a duration"},
		"an empty text is missing in a duration":  {lifetime.Duration, "", 0, ""},
		"true is no duration":                     {lifetime.Duration, true, 0, "expiresIn is neither a number nor a text"},
		"a word that begins like an ISO duration": {lifetime.Duration, "permanent", 0, "expiresIn is neither a number nor a duration"},
	} {
		t.Run(name, func(t *testing.T) {
			readCase{
				claims: lifetime.Claims{ExpiresIn: c.value}, rules: lifetime.Rules{Unit: c.unit},
				want: c.want, wantErr: c.wantErr,
			}.run(t)
		})
	}
	t.Run("huge and negative durations are treated like such numbers", func(t *testing.T) {
		for _, unit := range []lifetime.Unit{lifetime.Duration, lifetime.Minutes, lifetime.Milliseconds} {
			huge := json.Number("1e400")
			readCase{claims: lifetime.Claims{ExpiresIn: huge}, rules: lifetime.Rules{Unit: unit}, want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)}.run(t)
		}
		rules := lifetime.Rules{Unit: lifetime.Duration}
		for _, huge := range []string{strings.Repeat("9", 400) + "h", "99999999999999999999h", "9999999999999:00:00", "P999999999999W"} {
			readCase{claims: lifetime.Claims{ExpiresIn: huge}, rules: rules, want: thirtyDays, warnings: warn(lifetime.ClampedToMaximum)}.run(t)
		}
		for _, negative := range []string{"-1h", "-PT20M", "-00:20:00"} {
			readCase{claims: lifetime.Claims{ExpiresIn: negative}, rules: rules, warnings: warn(lifetime.NegativeLifetime)}.run(t)
		}
	})
}

func TestReadNeverQuotesTheAnswer(t *testing.T) {
	const secret = "s3cr3t-access-token"
	for _, claims := range []lifetime.Claims{{ExpiresIn: secret}, {ExpiresAt: secret}, {ExpiresIn: "60", ExpiresAt: secret, IssuedAt: secret}} {
		_, warnings, err := lifetime.Read(claims, lifetime.Rules{}, sent, received)
		text := ""
		if err != nil {
			text = err.Error()
		}
		for _, w := range warnings {
			text += string(w)
		}
		if text == "" || strings.Contains(text, secret) {
			t.Errorf("%v: got %q", claims, text)
		}
	}
}
