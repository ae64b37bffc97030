package grant_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// process is an operator, as far as a grant is concerned.
type process struct {
	world *world
	index int
	owner grant.Owner
	// startsAt is when it runs again after a crash, and nextAt when it looks again.
	startsAt, nextAt time.Time
	dead             bool
	seen             map[string]time.Time

	// What is under way: the attempt, until when nothing comes of it, and what then.
	attempt  *grant.Attempt
	record   *grant.Record
	version  int
	answerAt time.Time
	change   func(r *grant.Record) bool // nil where no answer comes
}

// start starts a process, in another pod or the same one.
func (p *process) start(moved bool) {
	w := p.world
	w.boots++
	if moved {
		delete(w.pods, p.owner.UID)
		p.owner = grant.Owner{UID: fmt.Sprint("pod-", w.boots), Host: "host", PID: 1}
		w.pods[p.owner.UID] = true
	}
	p.owner.Boot = fmt.Sprint("boot-", w.boots)
	p.dead, p.attempt, p.seen, p.nextAt = false, nil, map[string]time.Time{}, w.now
}

// crashes ends a process here, perhaps.
func (p *process) crashes() bool {
	w := p.world
	if !w.chance(4) {
		return false
	}
	p.dead, p.startsAt = true, w.now.Add(time.Duration(w.rand.IntN(20))*time.Second)
	return true
}

// tick lets a process do one thing.
func (p *process) tick() {
	w := p.world
	switch {
	case p.dead && (w.now.After(p.startsAt) || w.calm):
		p.start(w.rand.IntN(2) == 0)
	case p.dead, p.crashes():
	case p.attempt != nil && w.now.Before(p.answerAt):
	case p.attempt != nil && p.change == nil:
		p.attempt, p.nextAt = nil, w.now.Add(time.Second) // It stays open.
	case p.attempt != nil:
		p.persist()
	case w.leader >= 0 && w.leader != p.index, w.now.Before(p.nextAt):
	default:
		p.look()
	}
}

// persist keeps what came of an attempt, whatever the API server says meanwhile.
func (p *process) persist() {
	w, after := p.world, p.record.Clone()
	wanted := p.change(after)
	if !wanted {
		p.attempt = nil
		return
	}
	err := w.write(after, p.version)
	switch {
	case err == nil:
		p.attempt = nil
	case errors.Is(err, errConflict):
		if r, version, err := w.read(); err == nil && r != nil {
			p.record, p.version = r, version
		}
	}
}

func (p *process) view(r *grant.Record) grant.View {
	w := p.world
	v := grant.View{
		Record: r, Cluster: cluster, Credential: credential, KnownChain: w.knownChain, KnownBootstrap: w.knownBootstrap,
		Bootstrap: redact.New(w.bootstrap), InputsHash: inputs, Holds: !w.held.IssuedAt.IsZero(), Held: w.held,
		Wanted: w.held.IssuedAt.IsZero() || w.now.After(w.held.IssuedAt.Add(life/2)), Now: w.now,
	}
	if r == nil {
		return v
	}
	if token := r.Chain.LastToken(); token != nil {
		v.Kept = lifetime.Token{IssuedAt: token.Answer.Sent, ExpiresAt: token.Answer.Sent.Add(life)}
	}
	if a := r.Attempt; a != nil {
		if _, ok := p.seen[a.ID]; !ok {
			p.seen[a.ID] = w.now
		}
		v.Orphaned = a.Owner.Boot == p.owner.Boot || p.owner.Succeeds(a.Owner) || !w.pods[a.Owner.UID]
		v.TakeOverAt = p.seen[a.ID].Add(patience)
	}
	return v
}

// look takes the next step.
func (p *process) look() {
	w := p.world
	p.nextAt = w.now.Add(2 * time.Second)
	r, version, err := w.read()
	if err != nil {
		return
	}
	v := p.view(r)
	if r == nil {
		r = grant.NewRecord(cluster, credential)
	}
	step := grant.Next(v)
	w.asked = step.Need
	switch step.Action {
	case grant.Nothing:
	case grant.Serve:
		if !p.crashes() {
			w.held = v.Kept
		}
	case grant.Adopt:
		r.Adopt()
		_ = w.write(r, version) // The next look tells whether it was.
	case grant.Discard:
		r.Discard()
		_ = w.write(r, version) // As above.
	case grant.Bind:
		r.Bind(cluster, credential)
		_ = w.write(r, version) // As above.
	case grant.Await:
		p.nextAt = step.At
	case grant.Send:
		p.send(r, version, step)
	case grant.Ask, grant.Authorize, grant.Poll:
	}
	if r.Chain != nil && !p.dead {
		w.knownChain = r.Chain.ID
	}
	if last := len(r.Used) - 1; last >= 0 && !p.dead {
		w.knownBootstrap = r.Used[last]
	}
}

// takesOver notes that somebody who may have an answer to come is taken for dead.
func (p *process) takesOver(open *grant.Attempt) {
	w := p.world
	for _, other := range w.processes {
		if open == nil || other.dead || other.attempt == nil || other.attempt.ID != open.ID || other.change == nil {
			continue
		}
		if w.wrongly = true; w.now.Before(p.seen[open.ID].Add(patience)) {
			w.provider.blamef("a process did not wait for another")
		}
	}
}

// send writes an attempt down, and sends it.
func (p *process) send(r *grant.Record, version int, step grant.Step) {
	w := p.world
	if step.Kind == grant.Refresh && step.Value.IsEmpty() && r.Chain.Lost {
		w.provider.blamef("a refused refresh token is sent again")
	}
	p.takesOver(r.Attempt)
	value := r.Begin(step, fmt.Sprintf("attempt-%d-%d", p.index, w.version), p.owner, w.now).Reveal()
	if err := w.write(r, version); err != nil || p.crashes() {
		return
	}
	w.sends++
	p.attempt, p.record, p.version = r.Attempt, r, version+1
	p.answerAt, p.change = w.now.Add(time.Duration(w.rand.IntN(20))*time.Second), nil
	a, sent := *r.Attempt, w.now
	switch {
	case w.chance(8):
		p.answerAt = w.now.Add(patience) // It never got there.
		return
	case w.chance(8):
		p.change = func(r *grant.Record) bool { return r.Close(a, false) } // The provider is busy.
		return
	}
	said, successor := p.ask(a.Kind, value)
	switch said {
	case given:
		p.change = func(r *grant.Record) bool { return r.Keep(a, answered(successor, sent)) }
	case refused:
		p.change = func(r *grant.Record) bool { return r.Close(a, true) }
	case broken:
	}
	switch {
	case p.crashes():
	case w.chance(10):
		p.answerAt, p.change = w.now.Add(patience), nil // The answer is lost on the way.
	case w.slow && w.chance(10):
		p.answerAt = w.now.Add(3 * patience)
	}
}

func (p *process) ask(kind grant.Kind, value string) (outcome, string) {
	if kind == grant.Redeem {
		return p.world.provider.redeems(value)
	}
	return p.world.provider.takes(value)
}
