package grant_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// ask, send and do are the steps that tests expect.
func ask(need grant.Need) grant.Step { return grant.Step{Action: grant.Ask, Need: need} }

func send(kind grant.Kind) grant.Step { return grant.Step{Action: grant.Send, Kind: kind} }

func repeat(kind grant.Kind) grant.Step {
	return grant.Step{Action: grant.Send, Kind: kind, Open: true, Since: base}
}

func do(action grant.Action) grant.Step { return grant.Step{Action: action} }

func discard(need grant.Need) grant.Step { return grant.Step{Action: grant.Discard, Need: need} }

// lookAt is one look at a record.
type lookAt struct {
	// change makes of a good record, and of the view of it, what is looked at.
	change func(r *grant.Record, v *grant.View)
	want   grant.Step
}

func looks(t *testing.T, table map[string]lookAt) {
	t.Helper()
	for name, test := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecord(t)
			v := viewOf(r)
			test.change(r, &v)
			before := r.Clone()
			if got := grant.Next(v); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if !reflect.DeepEqual(r, before) {
				t.Error("a look changes the record")
			}
		})
	}
}

func TestNextWithoutARecord(t *testing.T) {
	t.Parallel()
	looks(t, map[string]lookAt{
		"nobody has begun": {
			func(_ *grant.Record, v *grant.View) { *v = grant.View{Cluster: cluster, Credential: credential} }, ask(grant.NeedFirst),
		},
		"there is a value to begin with": {
			func(_ *grant.Record, v *grant.View) {
				*v = grant.View{Cluster: cluster, Credential: credential, Bootstrap: redact.New("R0")}
			},
			grant.Step{Action: grant.Send, Kind: grant.Refresh, Value: redact.New("R0")},
		},
		"the value was used, the status says": {
			func(_ *grant.Record, v *grant.View) {
				*v = grant.View{
					Cluster: cluster, Credential: credential, Bootstrap: redact.New("R0"), KnownBootstrap: grant.Hash(cluster, redact.New("R0")),
				}
			}, ask(grant.NeedOtherBootstrap),
		},
		"the value was used when nobody knew the cluster": {
			func(_ *grant.Record, v *grant.View) {
				*v = grant.View{
					Cluster: cluster, Credential: credential, Bootstrap: redact.New("R0"), KnownBootstrap: grant.Hash("", redact.New("R0")),
				}
			}, ask(grant.NeedOtherBootstrap),
		},
		"a grant is gone, and its value stands there still": {
			func(_ *grant.Record, v *grant.View) {
				*v = grant.View{
					Cluster: cluster, Credential: credential, KnownChain: "chain",
					Bootstrap: redact.New("R0"), KnownBootstrap: grant.Hash(cluster, redact.New("R0")),
				}
			}, ask(grant.NeedGone),
		},
		"a grant is gone, and there is no value": {
			func(_ *grant.Record, v *grant.View) {
				*v = grant.View{Cluster: cluster, Credential: credential, KnownChain: "chain"}
			}, ask(grant.NeedGone),
		},
		"a grant is gone, and a new value is there": {
			func(_ *grant.Record, v *grant.View) {
				*v = grant.View{
					Cluster: cluster, Credential: credential, KnownChain: "chain",
					Bootstrap: redact.New("S0"), KnownBootstrap: grant.Hash(cluster, redact.New("R0")),
				}
			}, grant.Step{Action: grant.Send, Kind: grant.Refresh, Value: redact.New("S0")},
		},
		"a code begins it": {
			func(_ *grant.Record, v *grant.View) { *v = grant.View{ByDevice: true} }, grant.Step{Action: grant.Authorize, Count: 1},
		},
		// There is no other way to begin again, and a new code spends nothing.
		"a code begins it again where it is gone": {
			func(_ *grant.Record, v *grant.View) { *v = grant.View{ByDevice: true, KnownChain: "chain"} },
			grant.Step{Action: grant.Authorize, Count: 1},
		},
	})
}

func TestNextOfAnothersRecord(t *testing.T) {
	t.Parallel()
	looks(t, map[string]lookAt{
		"another credential's": {func(r *grant.Record, _ *grant.View) { r.Credential = "x" }, ask(grant.NeedBinding)},
		"another cluster's":    {func(r *grant.Record, _ *grant.View) { r.Cluster = "x" }, ask(grant.NeedBinding)},
		"the credential is the same, and the cluster not known": {
			func(_ *grant.Record, v *grant.View) { v.Cluster = "" }, do(grant.Nothing),
		},
		"the cluster was not known": {func(r *grant.Record, _ *grant.View) { r.Cluster = "" }, do(grant.Nothing)},
		"another credential's, whatever is due": {
			func(r *grant.Record, v *grant.View) {
				r.Credential, v.Wanted, v.Insists, v.Holds, v.Bootstrap = "x", true, true, false, redact.New("S0")
			}, ask(grant.NeedBinding),
		},
		"a person wants it to be used": {
			func(r *grant.Record, v *grant.View) { r.Cluster, v.Bound = "x", true }, do(grant.Bind),
		},
		"it is bound already": {func(_ *grant.Record, v *grant.View) { v.Bound = true }, do(grant.Nothing)},
		"a login begins this one's": {
			func(r *grant.Record, _ *grant.View) { r.Credential, r.Login = "x", tokensOf(loginWith("l"), "S1") }, do(grant.Adopt),
		},
		"a code begins this one's": {
			func(r *grant.Record, _ *grant.View) { r.Credential, r.Login = "x", codeOf(loginWith("l"), "code") }, send(grant.Redeem),
		},
		// To drop that login would be to write a grant that is not ours to write.
		"a login of the other one's": {
			func(r *grant.Record, _ *grant.View) {
				r.Credential, r.Login = "x", tokensOf(loginWith("l"), "S1")
				r.Login.Credential = "x"
			}, ask(grant.NeedBinding),
		},
		"a code that is too old": {
			func(r *grant.Record, v *grant.View) {
				r.Credential, r.Login, v.Now = "x", codeOf(loginWith("l"), "code"), base.Add(10*time.Minute)
			}, ask(grant.NeedBinding),
		},
		"nobody's": {
			func(_ *grant.Record, v *grant.View) { v.Record = &grant.Record{Login: tokensOf(loginWith("l"), "S1")} }, do(grant.Bind),
		},
	})
}

func TestNextServes(t *testing.T) {
	t.Parallel()
	later := func(v *grant.View, d time.Duration) {
		v.Kept = lifetime.Token{IssuedAt: base.Add(d), ExpiresAt: base.Add(time.Hour)}
	}
	looks(t, map[string]lookAt{
		"the target has none":         {func(_ *grant.Record, v *grant.View) { v.Holds = false }, do(grant.Serve)},
		"the target's is older":       {func(_ *grant.Record, v *grant.View) { later(v, time.Second) }, do(grant.Serve)},
		"by less than can be written": {func(_ *grant.Record, v *grant.View) { later(v, 999*time.Millisecond) }, do(grant.Nothing)},
		"the target's is newer":       {func(_ *grant.Record, v *grant.View) { later(v, -time.Minute) }, do(grant.Nothing)},
		"the target's has expired": {
			func(_ *grant.Record, v *grant.View) { v.Held.ExpiresAt = v.Now }, do(grant.Serve),
		},
		"both have expired": {
			func(_ *grant.Record, v *grant.View) {
				v.Held.ExpiresAt, v.Kept.ExpiresAt, v.Wanted = v.Now, v.Now, true
			}, send(grant.Refresh),
		},
		"it is for another spec": {
			func(_ *grant.Record, v *grant.View) { v.Holds, v.InputsHash, v.Wanted = false, "x", true }, send(grant.Refresh),
		},
		"its life cannot be read": {
			func(_ *grant.Record, v *grant.View) { v.Holds, v.Kept, v.Wanted = false, lifetime.Token{}, true }, send(grant.Refresh),
		},
		"while another process is at work": {
			func(r *grant.Record, v *grant.View) {
				r.Attempt, v.Holds, v.TakeOverAt = &grant.Attempt{Kind: grant.Refresh, Chain: "first", Generation: 1}, false, v.Now.Add(time.Minute)
			}, do(grant.Serve),
		},
		"of a chain that is lost": {func(r *grant.Record, v *grant.View) { r.Chain.Lost, v.Holds = true, false }, do(grant.Serve)},
		"a login goes before it": {
			func(r *grant.Record, v *grant.View) { r.Login, v.Holds = tokensOf(loginWith("l"), "S1"), false }, do(grant.Adopt),
		},
	})
}

func TestNextAwaits(t *testing.T) {
	t.Parallel()
	soon := base.Add(time.Minute + time.Second)
	busy := func(r *grant.Record, v *grant.View) {
		r.Begin(send(grant.Refresh), "theirs", other, base)
		v.Wanted, v.TakeOverAt = true, soon
	}
	wait := grant.Step{Action: grant.Await, At: soon}
	with := func(more func(r *grant.Record, v *grant.View)) func(r *grant.Record, v *grant.View) {
		return func(r *grant.Record, v *grant.View) {
			busy(r, v)
			more(r, v)
		}
	}
	looks(t, map[string]lookAt{
		"another process is at work": {busy, wait},
		"it is dead":                 {with(func(_ *grant.Record, v *grant.View) { v.Orphaned = true }), repeat(grant.Refresh)},
		"it takes too long":          {with(func(_ *grant.Record, v *grant.View) { v.Now = soon }), repeat(grant.Refresh)},
		"though nothing is due": {
			with(func(_ *grant.Record, v *grant.View) { v.Orphaned, v.Wanted = true, false }), repeat(grant.Refresh),
		},
		"before a login": {
			with(func(r *grant.Record, _ *grant.View) { r.Login = tokensOf(loginWith("l"), "S1") }), wait,
		},
		"before a new value": {with(func(_ *grant.Record, v *grant.View) { v.Bootstrap = redact.New("S0") }), wait},
		"what was open was another chain's": {
			with(func(r *grant.Record, v *grant.View) { r.Attempt.Chain, v.Orphaned, v.Wanted = "x", true, false }), do(grant.Nothing),
		},
	})
}

func TestNextOfALogin(t *testing.T) {
	t.Parallel()
	code := func(r *grant.Record) *grant.Login {
		r.Login = codeOf(loginWith("l"), "code")
		return r.Login
	}
	looks(t, map[string]lookAt{
		"tokens": {func(r *grant.Record, _ *grant.View) { r.Login = tokensOf(loginWith("l"), "S1") }, do(grant.Adopt)},
		"tokens, days ago": {func(r *grant.Record, v *grant.View) {
			r.Login, v.Now = tokensOf(loginWith("l"), "S1"), base.Add(50*time.Hour)
		}, do(grant.Adopt)},
		"an access token":   {func(r *grant.Record, _ *grant.View) { r.Login = tokensOf(loginWith("l"), "") }, do(grant.Adopt)},
		"a code":            {func(r *grant.Record, _ *grant.View) { code(r) }, send(grant.Redeem)},
		"an old code":       {func(r *grant.Record, v *grant.View) { code(r); v.Now = base.Add(10 * time.Minute) }, discard(grant.NeedCode)},
		"almost too old":    {func(r *grant.Record, v *grant.View) { code(r); v.Now = base.Add(10*time.Minute - 1) }, send(grant.Redeem)},
		"neither":           {func(r *grant.Record, _ *grant.View) { r.Login = loginWith("l") }, discard(grant.NeedCode)},
		"for somebody else": {func(r *grant.Record, _ *grant.View) { code(r).Credential = "x" }, discard(grant.NeedBinding)},
		"a code that was sent": {
			func(r *grant.Record, v *grant.View) {
				code(r)
				r.Begin(send(grant.Redeem), "redeem", self, base)
				v.Orphaned = true
			}, discard(grant.NeedCode),
		},
		"another code than was sent": {
			func(r *grant.Record, v *grant.View) {
				code(r)
				r.Begin(send(grant.Redeem), "redeem", self, base)
				r.Login.ID, v.Orphaned = "m", true
			}, send(grant.Redeem),
		},
		"one that was taken up, written again": {
			func(r *grant.Record, _ *grant.View) {
				r.Login = tokensOf(loginWith("l"), "S1")
				r.Adopt()
				r.Login = tokensOf(loginWith("l"), "S1")
			}, do(grant.Discard),
		},
		"a new value waits": {
			func(r *grant.Record, v *grant.View) { code(r); v.Bootstrap = redact.New("S0") }, send(grant.Redeem),
		},
	})
}

func TestNextOfABootstrapValue(t *testing.T) {
	t.Parallel()
	try := grant.Step{Action: grant.Send, Kind: grant.Try, Value: redact.New("S0")}
	anew := grant.Step{Action: grant.Send, Kind: grant.Refresh, Value: redact.New("S0")}
	put := func(more func(r *grant.Record, v *grant.View)) func(r *grant.Record, v *grant.View) {
		return func(r *grant.Record, v *grant.View) {
			v.Bootstrap = redact.New("S0")
			more(r, v)
		}
	}
	looks(t, map[string]lookAt{
		"a new one":             {put(func(*grant.Record, *grant.View) {}), try},
		"the one it began with": {func(_ *grant.Record, v *grant.View) { v.Bootstrap = redact.New("R0") }, do(grant.Nothing)},
		"one that the status knows": {
			put(func(_ *grant.Record, v *grant.View) { v.KnownBootstrap = grant.Hash(cluster, redact.New("S0")) }), do(grant.Nothing),
		},
		"the chain is lost":             {put(func(r *grant.Record, _ *grant.View) { r.Chain.Lost = true }), anew},
		"the chain cannot go on":        {put(func(r *grant.Record, _ *grant.View) { r.Chain.RefreshToken = redact.String{} }), anew},
		"there is no chain":             {put(func(r *grant.Record, _ *grant.View) { r.Chain = nil }), anew},
		"a consent is missing":          {put(func(r *grant.Record, _ *grant.View) { r.Chain.Consent = "x" }), try},
		"the chain has to be refreshed": {put(func(_ *grant.Record, v *grant.View) { v.Wanted = true }), try},
		"another one is being tried": {
			put(func(r *grant.Record, v *grant.View) {
				r.Begin(grant.Step{Kind: grant.Try, Value: redact.New("T0")}, "try", self, base)
				v.Orphaned = true
			}), try,
		},
		"used, and the chain is gone": {
			func(r *grant.Record, v *grant.View) { r.Chain, v.Bootstrap = nil, redact.New("R0") }, ask(grant.NeedOtherBootstrap),
		},
		"used in the cluster before": {
			func(r *grant.Record, v *grant.View) {
				r.Bind("cluster-2", credential)
				r.Bind("cluster-3", credential)
				v.Cluster, v.Bootstrap = "cluster-3", redact.New("R0")
			}, do(grant.Nothing),
		},
		"used before the cluster was not known any more": {
			func(r *grant.Record, v *grant.View) {
				r.Bind("", credential)
				v.Cluster, v.Bootstrap = "", redact.New("R0")
			}, do(grant.Nothing),
		},
	})
}

func TestNextCarriesOn(t *testing.T) {
	t.Parallel()
	lost := func(r *grant.Record) { r.Chain.Lost = true }
	looks(t, map[string]lookAt{
		"nothing is due": {func(*grant.Record, *grant.View) {}, do(grant.Nothing)},
		"one is due":     {func(_ *grant.Record, v *grant.View) { v.Wanted = true }, send(grant.Refresh)},
		"an answer is missing": {
			func(r *grant.Record, _ *grant.View) { r.Chain.Unanswered = base }, repeat(grant.Refresh),
		},
		"there is no chain": {func(r *grant.Record, _ *grant.View) { r.Chain = nil }, ask(grant.NeedFirst)},
		"it is lost":        {func(r *grant.Record, v *grant.View) { lost(r); v.Wanted = true }, ask(grant.NeedRefused)},
		"it never was any good": {
			func(r *grant.Record, v *grant.View) { lost(r); r.Chain.Generation, v.Wanted = 0, true }, ask(grant.NeedUsable),
		},
		"it is lost, and a person insists": {
			func(r *grant.Record, v *grant.View) { lost(r); v.Wanted, v.Insists = true, true }, send(grant.Refresh),
		},
		"it is lost, and the spec is another": {
			func(r *grant.Record, v *grant.View) { lost(r); v.Wanted, v.Corrected = true, true }, ask(grant.NeedRefused),
		},
		"it never was any good, and the client is another": {
			func(r *grant.Record, v *grant.View) {
				lost(r)
				r.Chain.Generation, v.Wanted, v.Corrected = 0, true, true
			},
			send(grant.Refresh),
		},
		"the consent is another": {func(r *grant.Record, v *grant.View) { r.Chain.Consent, v.Wanted = "x", true }, ask(grant.NeedConsent)},
		"the consent is the same": {
			func(r *grant.Record, v *grant.View) { r.Chain.Consent, v.Consent, v.Wanted = "x", "x", true }, send(grant.Refresh),
		},
		"nobody was asked to consent": {func(_ *grant.Record, v *grant.View) { v.Consent, v.Wanted = "x", true }, send(grant.Refresh)},
		// The refresh token may be spent: what came for it must be had before the spec
		// is changed back.
		"the consent is another, and the answer is missing": {
			func(r *grant.Record, v *grant.View) {
				r.Begin(send(grant.Refresh), "refresh", self, base)
				r.Chain.Consent, v.Orphaned = "x", true
			}, repeat(grant.Refresh),
		},
		"there is no refresh token": {
			func(r *grant.Record, v *grant.View) { r.Chain.RefreshToken, v.Wanted = redact.String{}, true }, ask(grant.NeedAgain),
		},
		"there is none, and none is needed yet": {
			func(r *grant.Record, _ *grant.View) { r.Chain.RefreshToken = redact.String{} }, do(grant.Nothing),
		},
	})
}

func TestNextTakesTurnsWithACandidate(t *testing.T) {
	t.Parallel()
	candidate := func(more func(r *grant.Record, v *grant.View)) func(r *grant.Record, v *grant.View) {
		return func(r *grant.Record, v *grant.View) {
			value := redact.New("S0")
			r.Candidate, v.Orphaned = &grant.Candidate{RefreshToken: value, Hash: grant.Hash(cluster, value)}, true
			more(r, v)
		}
	}
	looks(t, map[string]lookAt{
		"its turn":             {candidate(func(*grant.Record, *grant.View) {}), send(grant.Try)},
		"its turn comes first": {candidate(func(_ *grant.Record, v *grant.View) { v.Wanted = true }), send(grant.Try)},
		"it was not answered": {
			candidate(func(r *grant.Record, _ *grant.View) { r.Begin(send(grant.Try), "try", self, base) }), repeat(grant.Try),
		},
		"the chain's turn": {
			candidate(func(r *grant.Record, v *grant.View) {
				r.Begin(send(grant.Try), "try", self, base)
				v.Wanted = true
			}), send(grant.Refresh),
		},
		"it has failed": {candidate(func(r *grant.Record, _ *grant.View) { r.Candidate.Failed = true }), do(grant.Nothing)},
		"it has failed, and one is due": {
			candidate(func(r *grant.Record, v *grant.View) { r.Candidate.Failed, v.Wanted = true, true }), send(grant.Refresh),
		},
		"it has failed, and may be spent": {
			candidate(func(r *grant.Record, _ *grant.View) { r.Candidate.Failed, r.Candidate.Unanswered = true, base }), repeat(grant.Try),
		},
		"it has failed, and the chain is lost": {
			candidate(func(r *grant.Record, _ *grant.View) { r.Candidate.Failed, r.Chain.Lost = true, true }), send(grant.Try),
		},
		"it has failed, and the chain waits for a person": {
			candidate(func(r *grant.Record, _ *grant.View) { r.Candidate.Failed, r.Chain.Consent = true, "x" }), send(grant.Try),
		},
		"it has failed, and there is no chain": {
			candidate(func(r *grant.Record, _ *grant.View) { r.Candidate.Failed, r.Chain = true, nil }), send(grant.Try),
		},
	})
}

func TestNextByDevice(t *testing.T) {
	t.Parallel()
	poll := do(grant.Poll)
	lost := func(d *grant.Device, more func(v *grant.View)) func(r *grant.Record, v *grant.View) {
		return func(r *grant.Record, v *grant.View) {
			r.Chain.Lost, r.Device, v.ByDevice = true, d, true
			more(v)
		}
	}
	as := func(*grant.View) {}
	insists := func(v *grant.View) { v.Insists = true }
	waits := func(count int) *grant.Device { return &grant.Device{Count: count, ExpiresAt: base.Add(time.Hour)} }
	spent := func(count int) *grant.Device { return &grant.Device{Count: count, ExpiresAt: base.Add(time.Minute)} }
	declined := &grant.Device{Count: 1, ExpiresAt: base.Add(time.Hour), Declined: true}
	looks(t, map[string]lookAt{
		"lost":         {lost(nil, as), grant.Step{Action: grant.Authorize, Count: 1}},
		"a code waits": {lost(waits(1), as), poll},
		"it was asked for a moment ago": {
			func(r *grant.Record, v *grant.View) {
				r.Chain.Lost, r.Device, v.ByDevice = true, waits(1), true
				r.Device.PollAt = v.Now.Add(time.Second)
			}, grant.Step{Action: grant.Await, At: base.Add(time.Minute + time.Second)},
		},
		"a code is spent":                  {lost(spent(1), as), grant.Step{Action: grant.Authorize, Count: 2}},
		"three are spent":                  {lost(spent(3), as), ask(grant.NeedDevice)},
		"the third waits":                  {lost(waits(3), as), poll},
		"declined":                         {lost(declined, as), ask(grant.NeedDevice)},
		"declined, and asked for again":    {lost(declined, insists), grant.Step{Action: grant.Authorize, Count: 1}},
		"three spent, and asked for again": {lost(spent(3), insists), grant.Step{Action: grant.Authorize, Count: 1}},
		"one waits, and asked for again":   {lost(waits(1), insists), poll},
		"the consent is another": {
			func(r *grant.Record, v *grant.View) { r.Chain.Consent, v.ByDevice = "x", true }, grant.Step{Action: grant.Authorize, Count: 1},
		},
		"no refresh token": {
			func(r *grant.Record, v *grant.View) {
				r.Chain.RefreshToken, v.ByDevice, v.Wanted = redact.String{}, true, true
			},
			grant.Step{Action: grant.Authorize, Count: 1},
		},
		"no refresh token, and a code waits": {
			func(r *grant.Record, v *grant.View) {
				r.Chain.RefreshToken, r.Device, v.ByDevice = redact.String{}, waits(1), true
			}, poll,
		},
		"no chain, and a code waits": {
			func(r *grant.Record, v *grant.View) { r.Chain, r.Device, v.ByDevice = nil, waits(1), true }, poll,
		},
		// A code that was shown for a spec that was changed back must not keep a good
		// chain from being refreshed.
		"a good chain, and a code waits": {
			func(r *grant.Record, v *grant.View) { r.Device, v.ByDevice, v.Wanted = waits(1), true, true }, send(grant.Refresh),
		},
	})
}
