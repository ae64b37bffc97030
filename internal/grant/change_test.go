package grant_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
)

func TestBeginSendsWhatTheStepNames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step  grant.Step
		value string
		want  grant.Attempt
	}{
		"the chain's": {
			send(grant.Refresh), "R1", grant.Attempt{Kind: grant.Refresh, Chain: "first", Generation: 1},
		},
		"a new chain's": {
			grant.Step{Kind: grant.Refresh, Value: redact.New("S0")}, "S0", grant.Attempt{Kind: grant.Refresh, Chain: "id"},
		},
		"a new candidate's": {
			grant.Step{Kind: grant.Try, Value: redact.New("S0")},
			"S0",
			grant.Attempt{Kind: grant.Try, Chain: grant.Hash(cluster, redact.New("S0"))},
		},
		"the candidate's": {send(grant.Try), "C0", grant.Attempt{Kind: grant.Try, Chain: "hash"}},
		"a code":          {send(grant.Redeem), "code", grant.Attempt{Kind: grant.Redeem, Chain: "l"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecord(t)
			r.Login, r.Candidate = codeOf(loginWith("l"), "code"), &grant.Candidate{RefreshToken: redact.New("C0"), Hash: "hash"}
			if got := r.Begin(test.step, "id", self, base); got.Reveal() != test.value {
				t.Errorf("it sends %s", got.Reveal())
			}
			want := test.want
			want.ID, want.Owner, want.Since = "id", self, base
			if !reflect.DeepEqual(*r.Attempt, want) {
				t.Errorf("the attempt is %+v, want %+v", *r.Attempt, want)
			}
			if used := slices.Contains(r.Used, grant.Hash(cluster, redact.New("S0"))); used == test.step.Value.IsEmpty() {
				t.Errorf("used: %v", used)
			}
		})
	}
}

func TestKeepCarriesTheChainOn(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	r.Device, r.Chain.Lost = &grant.Device{}, true
	a := begin(t, r, send(grant.Refresh), "second", base)
	taken := answered("R2", base.Add(time.Hour))
	taken.ExpiresAt = base.Add(50 * time.Hour)
	if !r.Keep(a, taken) {
		t.Fatal("not kept")
	}
	c := r.Chain
	if r.Attempt != nil || r.Device != nil || c.ID != "first" || c.Generation != 2 || c.Lost || refreshTokenOf(r) != "R2" ||
		!c.ExpiresAt.Equal(taken.ExpiresAt) || !c.StartedAt.Equal(base) || !c.RotatedAt.Equal(taken.At) ||
		c.Token.Answer.AccessToken.Reveal() != "access to R2" {
		t.Errorf("%+v with the chain %+v", *r, *c)
	}
	// One that does not rotate, and one that cannot be used otherwise.
	a = begin(t, r, send(grant.Refresh), "third", base)
	if !r.Keep(a, grant.Taken{At: base.Add(2 * time.Hour)}) || refreshTokenOf(r) != "R2" || c.Generation != 3 || c.Token == nil ||
		!c.ExpiresAt.Equal(taken.ExpiresAt) {
		t.Errorf("the chain %+v", *r.Chain)
	}
}

func TestKeepTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]grant.Step{
		"a refresh token": send(grant.Refresh),
		"a candidate":     {Kind: grant.Try, Value: redact.New("S0")},
		"a first value":   {Kind: grant.Refresh, Value: redact.New("S0")},
		"a code":          send(grant.Redeem),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecord(t)
			r.Login = codeOf(loginWith("l"), "code")
			a := begin(t, r, step, "id", base)
			if !r.Keep(a, answered("S1", base)) || r.Attempt != nil || refreshTokenOf(r) != "S1" {
				t.Fatalf("not kept: %+v", *r)
			}
			// The write came through, and its answer did not.
			before := reread(t, r)
			again := before.Clone()
			if again.Keep(a, answered("S1", base)) || !reflect.DeepEqual(again, before) {
				t.Error("kept a second time")
			}
		})
	}
}

// late says what becomes of an answer that comes after something else has happened.
type late struct {
	step      grant.Step
	meanwhile func(t *testing.T, r *grant.Record)
	want      string // the refresh token of the chain
}

func TestALateAnswer(t *testing.T) {
	t.Parallel()
	refresh := func(id, refreshToken string) func(t *testing.T, r *grant.Record) {
		return func(t *testing.T, r *grant.Record) {
			t.Helper()
			a := begin(t, r, repeat(grant.Refresh), id, base)
			if refreshToken != "" && !r.Keep(a, answered(refreshToken, base)) {
				t.Fatal("not kept")
			}
		}
	}
	adopt := func(_ *testing.T, r *grant.Record) {
		r.Login = tokensOf(loginWith("l"), "L1")
		r.Adopt()
	}
	try := grant.Step{Kind: grant.Try, Value: redact.New("S0")}
	for name, test := range map[string]late{
		"nothing has happened":                   {send(grant.Refresh), func(*testing.T, *grant.Record) {}, "late"},
		"it is being repeated":                   {send(grant.Refresh), refresh("again", ""), "late"},
		"somebody else has carried the chain on": {send(grant.Refresh), refresh("again", "R2"), "R2"},
		"somebody else was refused": {send(grant.Refresh), func(t *testing.T, r *grant.Record) {
			t.Helper()
			r.Close(begin(t, r, repeat(grant.Refresh), "again", base), true)
		}, "late"},
		"somebody has logged in": {send(grant.Refresh), adopt, "L1"},
		"somebody has approved":  {send(grant.Refresh), func(_ *testing.T, r *grant.Record) { r.Approve("d", answered("D1", base)) }, "D1"},
		"a new value has begun a chain": {send(grant.Refresh), func(t *testing.T, r *grant.Record) {
			t.Helper()
			begin(t, r, grant.Step{Kind: grant.Refresh, Value: redact.New("S0")}, "new", base)
		}, "S0"},
		"a candidate has won": {send(grant.Refresh), func(t *testing.T, r *grant.Record) {
			t.Helper()
			r.Keep(begin(t, r, try, "new", base), answered("S1", base))
		}, "S1"},
		"a candidate is being tried": {send(grant.Refresh), func(t *testing.T, r *grant.Record) {
			t.Helper()
			begin(t, r, try, "new", base)
		}, "late"},
		"a login waits": {send(grant.Refresh), func(_ *testing.T, r *grant.Record) { r.Login = tokensOf(loginWith("l"), "L1") }, "late"},
		"of a candidate that is tried again": {try, func(t *testing.T, r *grant.Record) {
			t.Helper()
			begin(t, r, repeat(grant.Try), "again", base)
		}, "late"},
		"of a candidate that has won": {try, func(t *testing.T, r *grant.Record) {
			t.Helper()
			r.Keep(begin(t, r, repeat(grant.Try), "again", base), answered("S1", base))
		}, "S1"},
		"of a candidate that was replaced": {try, func(t *testing.T, r *grant.Record) {
			t.Helper()
			begin(t, r, grant.Step{Kind: grant.Try, Value: redact.New("T0")}, "new", base)
		}, "R1"},
		"of a candidate, after a login":     {try, adopt, "L1"},
		"of a candidate, the chain went on": {try, refresh("again", "R2"), "late"},
		"of a code":                         {send(grant.Redeem), func(*testing.T, *grant.Record) {}, "late"},
		"of a code that was given up":       {send(grant.Redeem), func(_ *testing.T, r *grant.Record) { r.Discard() }, "R1"},
		"of a code, after another login":    {send(grant.Redeem), adopt, "L1"},
		"of a code, somebody has approved":  {send(grant.Redeem), func(_ *testing.T, r *grant.Record) { r.Approve("d", answered("D1", base)) }, "late"},
		"of a code, another login waits": {send(grant.Redeem), func(_ *testing.T, r *grant.Record) {
			r.Login = codeOf(loginWith("m"), "another")
		}, "R1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecord(t)
			if test.step.Kind == grant.Redeem {
				r.Login = codeOf(loginWith("redeemed"), "code")
			}
			a := begin(t, r, test.step, "slow", base)
			test.meanwhile(t, r)
			r = reread(t, r)
			kept := r.Keep(a, answered("late", base))
			if kept != (test.want == "late") || refreshTokenOf(r) != test.want || r.Chain.Lost {
				t.Errorf("kept %v, with %s, lost %v", kept, refreshTokenOf(r), r.Chain.Lost)
			}
			if r.Attempt != nil && r.Attempt.ID == a.ID {
				t.Error("the attempt is open")
			}
		})
	}
}

func TestTheLastOfTwoAnswersCounts(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	slow := begin(t, r, send(grant.Refresh), "slow", base)
	again := begin(t, r, repeat(grant.Refresh), "again", base)
	if !r.Keep(slow, answered("R2", base)) || r.Attempt == nil {
		t.Fatalf("the first answer is not kept, or who repeats it is forgotten: %+v", *r)
	}
	if !r.Keep(again, answered("R2b", base)) || refreshTokenOf(r) != "R2b" || r.Attempt != nil {
		t.Errorf("the second answer is not kept: %+v", *r)
	}
}

func TestCloseEndsAnAttempt(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		t.Run(fmt.Sprint("refused ", refused), func(t *testing.T) {
			t.Parallel()
			r := newRecord(t)
			if !r.Close(begin(t, r, send(grant.Refresh), "id", base), refused) || r.Attempt != nil || r.Chain.Lost != refused {
				t.Errorf("a refresh token: %+v", *r.Chain)
			}
			r = newRecord(t)
			if !r.Close(begin(t, r, grant.Step{Kind: grant.Try, Value: redact.New("S0")}, "id", base), refused) || r.Attempt != nil ||
				(r.Candidate == nil) != refused || !refused && !r.Candidate.Failed || r.Chain.Lost {
				t.Errorf("a candidate: %+v", *r)
			}
			r = newRecord(t)
			r.Login = codeOf(loginWith("l"), "code")
			if !r.Close(begin(t, r, send(grant.Redeem), "id", base), refused) || r.Attempt != nil || (r.Login == nil) != refused || r.Chain.Lost {
				t.Errorf("a code: %+v", *r)
			}
		})
	}
}

func TestCloseOfAnothersAttempt(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	slow := begin(t, r, send(grant.Refresh), "slow", base)
	again := begin(t, r, repeat(grant.Refresh), "again", base)
	if r.Close(slow, true) || r.Attempt == nil || r.Chain.Lost {
		t.Errorf("the attempt is another's: %+v", *r)
	}
	// The slow one's answer comes, and then the other is refused for what was spent.
	r.Keep(slow, answered("R2", base))
	if !r.Close(again, true) || r.Chain.Lost {
		t.Error("a refusal of the refresh token before ends the chain")
	}
	if r.Close(again, true) {
		t.Error("closed twice")
	}
}

// A refusal to do anything now says nothing about the request before, whose answer is
// missing: it must be repeated soon, due or not.
func TestAMissingAnswerIsNotForgotten(t *testing.T) {
	t.Parallel()
	due := func(r *grant.Record, at time.Time) grant.Step {
		v := viewOf(reread(t, r))
		v.Orphaned, v.Now = true, at
		return grant.Next(v)
	}
	for name, meanwhile := range map[string]func(r *grant.Record){
		"the provider was busy then": func(r *grant.Record) {
			r.Close(begin(t, r, repeat(grant.Refresh), "busy", base.Add(time.Minute)), false)
		},
		"a value was tried in vain": func(r *grant.Record) {
			r.Close(begin(t, r, grant.Step{Kind: grant.Try, Value: redact.New("S0")}, "try", base), true)
		},
		"a code was refused": func(r *grant.Record) {
			r.Login = codeOf(loginWith("l"), "code")
			r.Close(begin(t, r, send(grant.Redeem), "redeem", base), true)
		},
		"a login was dropped": func(r *grant.Record) {
			r.Login = loginWith("l")
			r.Discard()
		},
		"it was bound to where it is": func(r *grant.Record) { r.Bind(cluster, credential) },
		"it was bound elsewhere":      func(r *grant.Record) { r.Bind("x", "y"); r.Bind(cluster, credential) },
	} {
		r := newRecord(t)
		begin(t, r, send(grant.Refresh), "unanswered", base)
		meanwhile(r)
		if got := due(r, base.Add(2*time.Minute)); !reflect.DeepEqual(got, repeat(grant.Refresh)) {
			t.Errorf("%s: %+v", name, got)
		}
		a := begin(t, r, repeat(grant.Refresh), "again", base.Add(2*time.Minute))
		if !a.Since.Equal(base) {
			t.Errorf("%s: it was sent first at %v", name, a.Since)
		}
		r.Keep(a, answered("R2", base))
		if got := due(r, base); got.Action != grant.Nothing && got.Kind != grant.Try {
			t.Errorf("%s: after it was answered: %+v", name, got)
		}
		if a = begin(t, r, send(grant.Refresh), "next", base.Add(time.Hour)); !a.Since.Equal(base.Add(time.Hour)) {
			t.Errorf("%s: the next was sent first at %v", name, a.Since)
		}
	}
}

func TestAMissingAnswerToACandidateIsNotForgotten(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	begin(t, r, grant.Step{Kind: grant.Try, Value: redact.New("S0")}, "unanswered", base)
	r.Close(begin(t, r, repeat(grant.Try), "busy", base.Add(time.Minute)), false)
	r = reread(t, r)
	if got := grant.Next(viewOf(r)); !reflect.DeepEqual(got, repeat(grant.Try)) {
		t.Errorf("got %+v", got)
	}
	if a := begin(t, r, repeat(grant.Try), "again", base.Add(time.Hour)); !a.Since.Equal(base) {
		t.Errorf("it was sent first at %v", a.Since)
	}
}

// A provider that answers a mistyped value with a 500, again and again, must not keep
// the good chain from being refreshed, nor a broken chain a good value from being tried.
func TestACandidateAndTheChainTakeTurns(t *testing.T) {
	t.Parallel()
	for _, busy := range []bool{false, true} { // As with a 503, else as with a 500.
		r, turns := newRecord(t), ""
		for range 6 {
			v := viewOf(r)
			v.Wanted, v.Orphaned, v.Bootstrap = true, true, redact.New("S0")
			step := grant.Next(v)
			a := begin(t, r, step, "id", base)
			turns += string(step.Kind) + " "
			if busy {
				r.Close(a, false)
			}
			r = reread(t, r)
		}
		if want := "Try Refresh Try Refresh Try Refresh "; turns != want {
			t.Errorf("%s", turns)
		}
	}
}

// Somebody insists on a refused refresh token, and the provider takes it: the chain must
// not be lost with the answer.
func TestALostChainThatIsSentAgain(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	r.Close(begin(t, r, send(grant.Refresh), "refused", base), true)
	v := viewOf(r)
	v.Insists = true
	begin(t, r, grant.Next(v), "insists", base)
	v = viewOf(reread(t, r))
	v.Orphaned = true
	if got := grant.Next(v); !reflect.DeepEqual(got, repeat(grant.Refresh)) {
		t.Errorf("got %+v", got)
	}
}

// A code is on its way while somebody approves: it must not be sent a second time.
func TestACodeIsNotSentTwiceAfterAnApproval(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	r.Login, r.Device = codeOf(loginWith("l"), "code"), &grant.Device{}
	begin(t, r, send(grant.Redeem), "redeem", base)
	r.Approve("d", answered("D1", base))
	v := viewOf(reread(t, r))
	v.TakeOverAt = v.Now.Add(time.Second)
	if got := grant.Next(v); got.Action != grant.Await {
		t.Errorf("while it is on its way: %+v", got)
	}
	v.Orphaned = true
	if got := grant.Next(v); !reflect.DeepEqual(got, discard(grant.NeedCode)) {
		t.Errorf("where it was lost: %+v", got)
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	r.Candidate, r.Device = &grant.Candidate{RefreshToken: redact.New("S0"), Hash: "hash"}, &grant.Device{}
	begin(t, r, send(grant.Refresh), "open", base)
	r.Login = tokensOf(loginWith("l"), "L1")
	r.Adopt()
	c := r.Chain
	if r.Login != nil || r.Attempt != nil || r.Candidate != nil || r.Device != nil || c.ID != "l" || c.Consent != "consent" ||
		c.Generation != 1 || refreshTokenOf(r) != "L1" || c.Token.Answer.AccessToken.Reveal() != "access to L1" || c.Lost {
		t.Errorf("%+v with the chain %+v", *r, *c)
	}
	if r.Cluster != cluster || r.Credential != credential {
		t.Errorf("it belongs to %s in %s", r.Credential, r.Cluster)
	}
}

// A login makes a grant this credential's when it has brought one, and no sooner: the
// grant of another one must not be spent because of a code that is refused.
func TestALoginOverAnothersGrant(t *testing.T) {
	t.Parallel()
	foreign := func() *grant.Record {
		r := newRecord(t)
		r.Bind("cluster-2", "credential-2")
		return r
	}
	r := foreign()
	r.Login = codeOf(loginWith("l"), "code")
	r.Close(begin(t, r, send(grant.Redeem), "redeem", base), true)
	if got := grant.Next(viewOf(reread(t, r))); !reflect.DeepEqual(got, ask(grant.NeedBinding)) {
		t.Errorf("after a refused code: %+v", got)
	}
	r.Login = codeOf(loginWith("m"), "code")
	r.Keep(begin(t, r, send(grant.Redeem), "redeem", base), answered("L1", base))
	adopted := foreign()
	adopted.Login = tokensOf(loginWith("l"), "L1")
	adopted.Adopt()
	for _, r := range []*grant.Record{r, adopted} {
		r = reread(t, r)
		v := viewOf(r)
		v.Wanted, v.Bootstrap, v.Consent = true, redact.New("R0"), "consent"
		if got := grant.Next(v); !reflect.DeepEqual(got, send(grant.Refresh)) || refreshTokenOf(r) != "L1" {
			t.Errorf("after a login: %+v", got)
		}
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	begin(t, r, send(grant.Refresh), "open", base)
	for _, known := range []string{cluster, "", cluster} {
		if r.Bind(known, credential); r.Cluster != cluster || r.Attempt == nil {
			t.Errorf("bound to where it is, with %q: %+v", known, *r)
		}
	}
	r.Cluster = ""
	if r.Bind(cluster, credential); r.Cluster != cluster || r.Attempt == nil {
		t.Errorf("the cluster is known now: %+v", *r)
	}
	r.Login = codeOf(loginWith("l"), "code")
	begin(t, r, send(grant.Redeem), "redeem", base)
	if r.Bind("x", "y"); r.Cluster != "x" || r.Credential != "y" || r.Attempt != nil || r.Login != nil {
		t.Errorf("bound elsewhere, with a code that was sent: %+v", *r)
	}
}

func TestOnlySoManyHashesAreKept(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	for i := range 600 {
		begin(t, r, grant.Step{Kind: grant.Try, Value: redact.New(fmt.Sprint("S", i))}, "id", base)
	}
	begin(t, r, grant.Step{Kind: grant.Try, Value: redact.New("S599")}, "id", base)
	last := grant.Hash(cluster, redact.New("S599"))
	if len(r.Used) != 512 || r.Used[511] != last || slices.Index(r.Used, last) != 511 {
		t.Errorf("%d hashes", len(r.Used))
	}
}

func TestCloneSharesNothingThatChanges(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	r.Candidate, r.Device, r.Login = &grant.Candidate{RefreshToken: redact.New("S0")}, &grant.Device{}, loginWith("l")
	r.Attempt, r.Former = &grant.Attempt{}, []string{"x"}
	c, before := r.Clone(), reread(t, r)
	c.Used[0], c.Former[0], c.Chain.Lost, c.Candidate.Failed, c.Device.Count = "x", "y", true, true, 9
	c.Login.ID, c.Attempt.ID = "x", "x"
	if !reflect.DeepEqual(reread(t, r), before) {
		t.Error("a change of the copy shows in the record")
	}
	if (*grant.Record)(nil).Clone() != nil {
		t.Error("a copy of nothing")
	}
}

func TestSucceeds(t *testing.T) {
	t.Parallel()
	here := grant.Owner{Host: "here", PID: 7, Boot: "1"}
	for name, test := range map[string]struct {
		other grant.Owner
		want  bool
	}{
		"itself":                       {self, false},
		"the same container before":    {grant.Owner{Pod: self.Pod, UID: self.UID, Host: "x", PID: 9, Boot: "0"}, true},
		"another pod":                  {other, false},
		"another pod of the same name": {grant.Owner{Pod: self.Pod, UID: "x", Host: self.Host, PID: self.PID, Boot: "0"}, false},
		"a process outside a cluster":  {grant.Owner{Host: self.Host, PID: self.PID, Boot: "0"}, false},
	} {
		if got := self.Succeeds(test.other); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, test := range map[string]struct {
		other grant.Owner
		want  bool
	}{
		"itself":                     {here, false},
		"the same process id before": {grant.Owner{Host: "here", PID: 7, Boot: "0"}, true},
		"another process":            {grant.Owner{Host: "here", PID: 8, Boot: "0"}, false},
		"another host":               {grant.Owner{Host: "there", PID: 7, Boot: "0"}, false},
		"a pod":                      {grant.Owner{UID: "x", Host: "here", PID: 7, Boot: "0"}, false},
	} {
		if got := here.Succeeds(test.other); got != test.want {
			t.Errorf("outside a cluster, %s: %v", name, got)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	hash := grant.Hash(cluster, redact.New("R0"))
	if len(hash) != 32 || hash != grant.Hash(cluster, redact.New("R0")) {
		t.Errorf("%q", hash)
	}
	if hash == grant.Hash("x", redact.New("R0")) || hash == grant.Hash(cluster, redact.New("R1")) {
		t.Error("two are the same")
	}
	if grant.Hash("a", redact.New("bc")) == grant.Hash("ab", redact.New("c")) {
		t.Error("where the cluster ends is not told")
	}
}
