package gate

import (
	"testing"
	"time"
)

func TestTheSlowStartOfABreaker(t *testing.T) {
	t.Parallel()
	const limit = 10
	for name, c := range map[string]struct {
		results string // a for an answer, f for a failure
		want    ramp
		open    bool
	}{
		"the first success":              {"a", 1, false},
		"two more with each":             {"aaaa", 7, false},
		"until the limit":                {"aaaaaa", 0, false},
		"half as many after a failure":   {"aaaaf", 3, false},
		"one at least":                   {"aaff", 0, true},
		"one of its own cause":           {"afaa", 5, false},
		"a relapse":                      {"aff", 0, true},
		"no relapse once it is on again": {"aaaaaff", 2, false},
		"nothing once it has recovered":  {"aaaaaaf", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, started := breaker{open: true}, uint64(0)
			for _, result := range c.results {
				started++
				if result == 'a' {
					b.answered(started, limit)
				} else {
					b.failed(time.Unix(0, 0), started, started, true)
				}
			}
			if b.ramp != c.want || b.open != c.open {
				t.Errorf("%d at a time and open is %t, want %d and %t", b.ramp, b.open, c.want, c.open)
			}
		})
	}
}
