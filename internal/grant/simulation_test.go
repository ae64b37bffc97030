package grant_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/lifetime"
)

// life is how long an access token lives in a simulation, and patience how long a
// process waits for an answer, and for another process.
const (
	life     = 2 * time.Minute
	patience = 30 * time.Second
)

// world is a credential, its provider and the processes that look after it.
type world struct {
	rand     *rand.Rand
	now      time.Time
	provider *provider
	calm     bool // Nothing goes wrong any more.
	// slow says that answers may come after others have given up waiting, and wrongly
	// that somebody was taken for dead who had an answer to come.
	slow, wrongly bool

	// The Secret of the grant, nil where there is none, and its version.
	data    map[string][]byte
	version int
	outage  time.Time

	// What a person has put there, and the family of it.
	bootstrap string
	codes     int
	// family and number are those of the refresh token that was kept last, and buried are
	// the families before: none of them may come back.
	family, number int
	buried         map[int]bool

	held                       lifetime.Token
	knownChain, knownBootstrap string
	leader                     int
	asked                      grant.Need
	processes                  []*process
	sends, boots               int
	pods                       map[string]bool
}

var (
	errConflict = errors.New("conflict")
	errOutage   = errors.New("outage")
)

// chance is true in some of a hundred cases, and never when all is calm.
func (w *world) chance(percent int) bool { return !w.calm && w.rand.IntN(100) < percent }

func (w *world) read() (*grant.Record, int, error) {
	switch {
	case w.now.Before(w.outage):
		return nil, 0, errOutage
	case w.data == nil:
		return nil, w.version, nil
	}
	r, err := grant.Decode(w.data)
	return r, w.version, err
}

// write writes a record. An outage may hide that it has come through.
func (w *world) write(r *grant.Record, version int) error {
	if w.now.Before(w.outage) {
		return errOutage
	}
	if version != w.version {
		return errConflict
	}
	data, err := r.Encode()
	if err != nil {
		return err
	}
	w.data = data
	w.version++
	if c := r.Chain; c != nil {
		w.kept(c)
	}
	if w.chance(3) {
		return errOutage
	}
	return nil
}

// kept checks the chain that was written.
func (w *world) kept(c *grant.Chain) {
	token := w.provider.tokens[c.RefreshToken.Reveal()]
	if token == nil {
		return // A value of a person's that is none.
	}
	if token.family != w.family {
		w.buried[w.family] = true
		w.family, w.number = token.family, 0
	}
	if w.buried[w.family] || token.number < w.number {
		w.provider.blamef("%s has come back", c.RefreshToken.Reveal())
	}
	w.number = token.number
	for _, other := range w.provider.tokens {
		if other.family == token.family && other.number < token.number {
			other.followed = true
		}
	}
}

// acts lets a person do something.
func (w *world) acts() {
	if w.now.Before(w.outage) {
		return
	}
	switch w.rand.IntN(6) {
	case 0:
		w.bootstrap = w.provider.begins()
	case 1:
		w.bootstrap = fmt.Sprintf("typo-%d", w.rand.IntN(1000))
	case 2:
		w.bootstrap = "F1.0.0" // What it began with, as it stands in a repository.
	default:
		w.logsIn()
	}
}

// logsIn leaves what a login has got, as somebody does who knows nothing of records.
func (w *world) logsIn() {
	w.codes++
	l := loginWith(fmt.Sprintf("login-%d", w.codes))
	l.At, l.Consent = w.now, ""
	if w.rand.IntN(2) == 0 {
		l = tokensOf(l, w.provider.begins())
	} else {
		l = codeOf(l, fmt.Sprintf("code-%d", w.codes))
	}
	login, err := l.Encode()
	if err != nil {
		w.provider.blamef("a login cannot be written: %v", err)
	}
	data := map[string][]byte{grant.KeyLogin: login}
	for key, value := range w.data {
		if key != grant.KeyLogin {
			data[key] = value
		}
	}
	w.data = data
	w.version++
}

// mode is what a simulation is about.
type mode struct {
	name      string
	processes int
	elects    bool // Only one of them begins anything.
	slow      bool
	outages   time.Duration // how long they are at most
	grace     int
	persons   bool
	typo      outcome
}

func (m mode) world(seed uint64) *world {
	w := &world{
		rand: rand.New(rand.NewPCG(seed, 1)), now: base, provider: newProvider(m.grace, m.typo), slow: m.slow,
		leader: -1, pods: map[string]bool{}, buried: map[int]bool{},
	}
	if m.elects {
		w.leader = 0
	}
	w.bootstrap = w.provider.begins()
	for i := range m.processes {
		p := &process{world: w, index: i}
		p.start(true)
		w.processes = append(w.processes, p)
	}
	return w
}

// run lets time pass: a stormy hour, then calm.
func (m mode) run(w *world) {
	const steps, calm = 1500, 300
	for step := range steps {
		w.now = w.now.Add(time.Duration(w.rand.IntN(5000)) * time.Millisecond)
		if w.calm = step >= steps-calm; w.calm {
			w.outage = time.Time{}
		}
		switch {
		case w.chance(1):
			w.outage = w.now.Add(time.Duration(w.rand.Int64N(int64(m.outages))))
		case w.chance(1) && m.elects:
			w.leader = w.rand.IntN(m.processes)
		case m.persons && w.chance(1):
			w.acts()
		}
		w.processes[w.rand.IntN(m.processes)].tick()
	}
}

func modes() []mode {
	var all []mode
	for _, grace := range []int{1, 2, 1 << 30} {
		for _, persons := range []bool{false, true} {
			all = append(
				all,
				mode{"one process", 1, false, false, 2 * time.Minute, grace, persons, refused},
				mode{"one leader of two", 2, true, false, 5 * time.Second, grace, persons, broken},
				mode{"two at once", 2, false, false, 5 * time.Second, grace, persons, refused},
				mode{"two at once, slow", 2, false, true, 2 * time.Minute, grace, persons, broken},
			)
		}
	}
	return all
}

// A chain is lost only where the provider leaves no choice: where more answers to one
// refresh token have not come than it takes that token for.
func TestNoChainIsLost(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for _, m := range modes() {
		t.Run(fmt.Sprintf("%s, grace %d, persons %v", m.name, m.grace, m.persons), func(t *testing.T) {
			t.Parallel()
			for seed := range seeds {
				w := m.world(seed)
				m.run(w)
				m.check(t, w, seed)
				if t.Failed() {
					return
				}
			}
		})
	}
}

func (m mode) check(t *testing.T, w *world, seed uint64) {
	t.Helper()
	if w.provider.wrong != "" || w.provider.stale != "" && !w.wrongly {
		t.Errorf("seed %d: %s %s", seed, w.provider.wrong, w.provider.stale)
	}
	r, err := grant.Decode(w.data)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	good := !w.held.Expired(w.now)
	switch {
	case r.Chain == nil || r.Login != nil:
		t.Errorf("seed %d: the grant stands still: %+v", seed, *r)
	case r.Chain.Lost && !w.wrongly:
		token := w.provider.tokens[r.Chain.RefreshToken.Reveal()]
		if token != nil && (token.uses < m.grace || token.followed) {
			t.Errorf("seed %d: a chain is lost whose refresh token was taken %d times", seed, token.uses)
		}
		if w.asked == "" && r.Candidate == nil {
			t.Errorf("seed %d: a chain is lost, and nobody is asked", seed)
		}
	case !r.Chain.Lost && !good && w.provider.tokens[r.Chain.RefreshToken.Reveal()] != nil:
		t.Errorf("seed %d: the token has expired, and the chain is good: %+v", seed, *r.Chain)
	}
	if !m.persons && m.grace > 2 && !w.wrongly && (r.Chain.Lost || !good) {
		t.Errorf("seed %d: a chain is lost whose refresh tokens are taken until the next is used", seed)
	}
	if w.sends > 500 {
		t.Errorf("seed %d: %d requests", seed, w.sends)
	}
}
