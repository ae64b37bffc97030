package grant_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// fullRecord has all that a record can have.
func fullRecord(t *testing.T) *grant.Record {
	t.Helper()
	r := newRecord(t)
	r.Bind("cluster-2", credential)
	r.Login = tokensOf(loginWith("dropped"), "L0")
	r.Discard()
	begin(t, r, grant.Step{Kind: grant.Try, Value: redact.New("S0")}, "try", base)
	begin(t, r, send(grant.Refresh), "open", base.Add(time.Second))
	begin(t, r, repeat(grant.Refresh), "again", base.Add(time.Minute))
	r.Candidate.Failed = true
	r.Chain.ExpiresAt, r.Chain.Renews, r.Chain.Consent, r.Chain.Lost = base.Add(time.Hour), true, "consent", true
	r.Login = codeOf(tokensOf(loginWith("l"), "L1"), "code")
	r.Login.ExpiresAt = base.Add(time.Hour)
	r.Device = &grant.Device{
		DeviceCode: redact.New("device"), UserCode: "USER", VerificationURI: "https://id.example.com/device",
		VerificationURIComplete: "https://id.example.com/device?code=USER", ExpiresAt: base, Interval: 5 * time.Second,
		PollAt: base.Add(5 * time.Second), Consent: "consent", Count: 2, Declined: true,
	}
	return r
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	bare := grant.NewRecord(cluster, credential)
	unanswered := newRecord(t)
	unanswered.Bind("", credential)
	for name, r := range map[string]*grant.Record{"all": fullRecord(t), "nothing": bare, "a chain": unanswered} {
		if read := reread(t, r); !reflect.DeepEqual(read, r) {
			t.Errorf("%s: read %+v, written %+v", name, *read, *r)
		}
	}
	// A login is written by somebody who knows nothing of records.
	login := tokensOf(loginWith("l"), "L1")
	data, err := login.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := grant.Decode(map[string][]byte{grant.KeyLogin: data})
	if err != nil || !reflect.DeepEqual(read, &grant.Record{Login: login}) {
		t.Errorf("read %+v: %v", read, err)
	}
}

func TestEveryFieldIsWritten(t *testing.T) {
	t.Parallel()
	r := fullRecord(t)
	for name, part := range map[string]any{
		"record": *r, "chain": *r.Chain, "candidate": *r.Candidate, "attempt": *r.Attempt, "login": *r.Login, "device": *r.Device,
		"owner": r.Attempt.Owner,
	} {
		value := reflect.ValueOf(part)
		for i := range value.NumField() {
			if value.Field(i).IsZero() {
				t.Errorf("the test knows nothing of the field %s of a %s", value.Type().Field(i).Name, name)
			}
		}
	}
}

func TestKeysHoldWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	data, err := fullRecord(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if keys := slices.Sorted(maps.Keys(data)); !slices.Equal(keys, slices.Sorted(slices.Values(grant.Keys))) {
		t.Errorf("the keys %v", keys)
	}
	if string(data[grant.KeyRefreshToken]) != "R1" || string(data[grant.KeyCandidate]) != "S0" {
		t.Error("a refresh token is not where it belongs")
	}
	for _, secret := range []string{"R1", "R0", "S0", "L1", "access to", "code\"", "verifier", "device"} {
		if strings.Contains(string(data[grant.KeyRecord]), secret) {
			t.Errorf("the part without secrets holds %q: %s", secret, data[grant.KeyRecord])
		}
	}
	data, err = grant.NewRecord(cluster, credential).Encode()
	if err != nil || len(data) != 1 {
		t.Errorf("an empty record has %d keys: %v", len(data), err)
	}
}

// answers are claims and additions of all shapes.
func answers() map[string]*grant.Token {
	of := func(change func(token *grant.Token)) *grant.Token {
		token := accessToken("access", base)
		change(token)
		return token
	}
	raw := map[string]any{"n": json.Number("12345678901234567890"), "f": json.Number("3.0"), "null": nil, "list": []any{"<&>", true}}
	return map[string]*grant.Token{
		"nothing else":  of(func(*grant.Token) {}),
		"a number":      of(func(token *grant.Token) { token.Answer.Claims.ExpiresIn = json.Number("1199.50") }),
		"zero":          of(func(token *grant.Token) { token.Answer.Claims.ExpiresIn = json.Number("0") }),
		"a text":        of(func(token *grant.Token) { token.Answer.Claims.ExpiresIn = "5099" }),
		"an empty text": of(func(token *grant.Token) { token.Answer.Claims.ExpiresIn = "" }),
		"a boolean":     of(func(token *grant.Token) { token.Answer.Claims.ExpiresIn = false }),
		"an object":     of(func(token *grant.Token) { token.Answer.Claims.ExpiresIn = map[string]any{"seconds": json.Number("1")} }),
		"instants": of(func(token *grant.Token) {
			token.Answer.Claims.IssuedAt, token.Answer.Claims.ExpiresAt = "2026-11-22 12:00:00.5+02:00", json.Number("1773481613000000")
			token.Answer.Claims.Date, token.Answer.Claims.Age = "Sun, 22 Nov 2026 12:00:00 GMT", "1"
		}),
		"raw and extra": of(func(token *grant.Token) { token.Answer.Raw, token.Answer.Extra = raw, map[string]any{"x": raw} }),
		"odd texts": of(func(token *grant.Token) {
			token.Answer.AccessToken, token.Answer.Scope = redact.New("ä<>&\u2028\"\\ "), "a b"
		}),
	}
}

func TestAnAnswerIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for name, token := range answers() {
		r := newRecord(t)
		r.Chain.Token = token
		r.Login = tokensOf(loginWith("l"), "L1")
		r.Login.Token = token
		if read := reread(t, r); !reflect.DeepEqual(read, r) {
			t.Errorf("%s: read %+v", name, *read.Chain.Token.Answer)
		}
	}
}

// What is published of an answer must not depend on whether it was read since.
func TestAnAnswerIsKeptAsItWillBeRead(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 500, time.FixedZone("", 3600))
	for name, claim := range map[string]any{"float64": 3600.5, "int64": int64(3600), "uint64": uint64(3600), "instant": noon} {
		r := newRecord(t)
		taken := answered("R2", base)
		taken.Token.Answer.Claims.ExpiresIn, taken.Token.Answer.Claims.ExpiresAt = claim, claim
		taken.Token.Answer.Extra = map[string]any{"x": claim}
		rules := lifetime.Rules{}
		before, _, errBefore := lifetime.Read(taken.Token.Answer.Claims, rules, base, base)
		r.Keep(begin(t, r, send(grant.Refresh), "id", base), taken)
		if read := reread(t, r); !reflect.DeepEqual(read, r) {
			t.Errorf("%s: read %+v, kept %+v", name, *read.Chain.Token.Answer, *r.Chain.Token.Answer)
		}
		after, _, errAfter := lifetime.Read(r.Chain.Token.Answer.Claims, rules, base, base)
		if before != after || (errBefore == nil) != (errAfter == nil) {
			t.Errorf("%s: it lived %+v (%v), and lives %+v (%v)", name, before, errBefore, after, errAfter)
		}
	}
}

// A refresh token is kept whatever comes with it.
func TestNothingKeepsARefreshTokenFromBeingWritten(t *testing.T) {
	t.Parallel()
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600))
	large := strings.Repeat("x", 300<<10)
	for name, test := range map[string]struct {
		change func(taken *grant.Taken)
		token  string // what is left of the access token
	}{
		"a large answer":            {func(taken *grant.Taken) { taken.Token.Answer.Raw = large }, "access to R2"},
		"large extras":              {func(taken *grant.Taken) { taken.Token.Answer.Extra = map[string]any{"x": large} }, "access to R2"},
		"no JSON":                   {func(taken *grant.Taken) { taken.Token.Answer.Extra = map[string]any{"x": math.NaN()} }, "access to R2"},
		"a claim that is none":      {func(taken *grant.Taken) { taken.Token.Answer.Claims.ExpiresIn = json.Number("x") }, "access to R2"},
		"a large claim":             {func(taken *grant.Taken) { taken.Token.Answer.Claims.ExpiresAt = large }, "access to R2"},
		"an instant far away":       {func(taken *grant.Taken) { taken.ExpiresAt, taken.Token.Answer.Claims.ExpiresAt = far, far.UTC() }, "access to R2"},
		"a large access token":      {func(taken *grant.Taken) { taken.Token.Answer.AccessToken = redact.New(large) }, ""},
		"an access token to no end": {func(taken *grant.Taken) { taken.Token.Answer.Scope = large }, ""},
	} {
		r := newRecord(t)
		taken := answered("R2", base)
		test.change(&taken)
		r.Keep(begin(t, r, send(grant.Refresh), "id", base), taken)
		read, left := reread(t, r), ""
		if token := read.Chain.Token; token != nil {
			left = token.Answer.AccessToken.Reveal()
		}
		if refreshTokenOf(read) != "R2" || left != test.token {
			t.Errorf("%s: the refresh token %s and the access token %.20q", name, refreshTokenOf(read), left)
		}
		if r.Chain.Token == nil || r.Chain.Token.Answer == nil {
			t.Errorf("%s: nothing is left to publish", name)
		}
	}
}

// damaged are the data of Secrets that hold no grant as it was written.
func damaged(tb testing.TB) map[string]map[string][]byte {
	tb.Helper()
	all := map[string]map[string][]byte{
		"nothing":           {},
		"only tokens":       {grant.KeyRefreshToken: []byte("R1"), grant.KeyAnswer: []byte(`{"access_token":"secret"}`)},
		"an empty record":   {grant.KeyRecord: {}},
		"null":              {grant.KeyRecord: []byte("null")},
		"no object":         {grant.KeyRecord: []byte(`"secret"`)},
		"no JSON":           {grant.KeyRecord: []byte("secret")},
		"two":               {grant.KeyRecord: []byte(`{"version":1,"credential":"x"}{}`)},
		"cut off":           {grant.KeyRecord: []byte(`{"version":1,"credential":"x"`)},
		"no version":        {grant.KeyRecord: []byte(`{"credential":"x"}`)},
		"a newer version":   {grant.KeyRecord: []byte(`{"version":2,"credential":"x"}`)},
		"nobody's":          {grant.KeyRecord: []byte(`{"version":1,"cluster":"x"}`)},
		"a number for text": {grant.KeyRecord: []byte(`{"version":1,"credential":7}`)},
		"no instant":        {grant.KeyRecord: []byte(`{"version":1,"credential":"x","chain":{"startedAt":"secret"}}`)},
		"no login":          {grant.KeyLogin: []byte("secret")},
	}
	good := map[string][]byte{grant.KeyRecord: []byte(`{"version":1,"credential":"x","chain":{"id":"c"},"candidate":{"hash":"h"}}`)}
	good[grant.KeyCandidate], good[grant.KeyRefreshToken] = []byte("S0"), []byte("R1")
	if _, err := grant.Decode(good); err != nil {
		tb.Fatal(err)
	}
	with := func(name, key, value string) {
		all[name] = maps.Clone(good)
		all[name][key] = []byte(value)
	}
	with("a candidate without its value", grant.KeyCandidate, "")
	return all
}

// TestWhatIsBesideARefreshTokenMayBeDamaged: the refresh token is good all the same.
func TestWhatIsBesideARefreshTokenMayBeDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string][2]string{
		"an answer that is no JSON":           {grant.KeyAnswer, "secret"},
		"an answer without a token":           {grant.KeyAnswer, `{"sent":"2026-11-22T12:00:00Z"}`},
		"an answer with two":                  {grant.KeyAnswer, `{"access_token":"secret"}]`},
		"a login that is no JSON":             {grant.KeyLogin, "{secret"},
		"a login with an answer that is none": {grant.KeyLogin, `{"answer":"secret"}`},
		"a device that is no JSON":            {grant.KeyDevice, "secret"},
	} {
		data, err := fullRecord(t).Encode()
		if err != nil {
			t.Fatal(err)
		}
		data[damage[0]] = []byte(damage[1])
		r, err := grant.Decode(data)
		if err != nil || refreshTokenOf(r) != refreshTokenOf(fullRecord(t)) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		left := map[string]bool{grant.KeyAnswer: r.Chain.Token != nil, grant.KeyLogin: r.Login != nil, grant.KeyDevice: r.Device != nil}
		for key, there := range left {
			if there == (key == damage[0]) {
				t.Errorf("%s: %s is there: %t", name, key, there)
			}
		}
	}
}

func TestDecodeOfDamagedData(t *testing.T) {
	t.Parallel()
	for name, data := range damaged(t) {
		r, err := grant.Decode(data)
		if !errors.Is(err, grant.ErrUnreadable) || r != nil {
			t.Errorf("%s: %v and %v", name, r, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error quotes what it could not read: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	seeds := damaged(f)
	seeds["all"], _ = fullRecord(&testing.T{}).Encode()
	for _, data := range seeds {
		f.Add(data[grant.KeyRecord], data[grant.KeyRefreshToken], data[grant.KeyAnswer], data[grant.KeyCandidate],
			data[grant.KeyLogin], data[grant.KeyDevice])
	}
	f.Fuzz(func(t *testing.T, record, refreshToken, answer, candidate, login, device []byte) {
		r, err := grant.Decode(map[string][]byte{
			grant.KeyRecord: record, grant.KeyRefreshToken: refreshToken, grant.KeyAnswer: answer,
			grant.KeyCandidate: candidate, grant.KeyLogin: login, grant.KeyDevice: device,
		})
		if err != nil {
			if !errors.Is(err, grant.ErrUnreadable) || r != nil {
				t.Fatalf("%v and %v", r, err)
			}
			return
		}
		v := viewOf(r)
		for _, due := range []bool{false, true} {
			v.Wanted, v.Orphaned, v.ByDevice, v.Bootstrap = due, due, !due, redact.New("S0")
			after := r.Clone()
			// Whatever was read, what comes of it can be written and is read alike.
			switch step := grant.Next(v); step.Action {
			case grant.Send:
				if after.Begin(step, "id", self, base).IsEmpty() {
					t.Fatalf("nothing to send: %+v", step)
				}
				after.Keep(*after.Attempt, answered("R2", base))
			case grant.Adopt:
				after.Adopt()
			case grant.Discard:
				after.Discard()
			case grant.Bind:
				after.Bind(cluster, credential)
			case grant.Nothing, grant.Serve, grant.Authorize, grant.Poll, grant.Await, grant.Ask:
			}
			written := reread(t, after)
			if again := reread(t, written); !reflect.DeepEqual(again, written) {
				t.Fatalf("written %+v, read %+v", *written, *again)
			}
		}
	})
}
