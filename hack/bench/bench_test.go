package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

func TestEachSeries(t *testing.T) {
	const text = `# HELP apiserver_request_total Counter
apiserver_request_total{code="200",resource="secrets",verb="GET"} 3
apiserver_request_total{code="200",resource="secrets",verb="APPLY",message="a \"b\", c"} 1e+03
apiserver_request_total_other{verb="GET"} 7
apiserver_up 1
`
	counted := requests{}
	eachSeries([]byte(text), "apiserver_request_total", func(labels map[string]string, value float64) {
		counted[labels["verb"]+" "+labels["resource"]] += value
	})
	if counted["GET secrets"] != 3 || counted["APPLY secrets"] != 1000 || len(counted) != 2 {
		t.Errorf("counted %v", counted)
	}
	if counted.reads() != 3 || counted.writes() != 1000 {
		t.Errorf("%v reads, %v writes", counted.reads(), counted.writes())
	}
	later := requests{"GET secrets": 5, "APPLY secrets": 1000, "POST events": 1}
	if got := later.since(counted).each(2); got != "GET secrets 1.00, POST events 0.50" {
		t.Errorf("since = %s", got)
	}
}

func TestConsumerAddsUpExpiredSeconds(t *testing.T) {
	now := time.Now()
	provider := standin.NewOAuth(standin.Options{})
	c := newConsumer(provider, 1)
	at := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	c.tokens["a"] = &token{value: "first", count: 1, expiresAt: at(10)}
	c.having = []int{0, 1}
	c.seeSecret("a", "second", at(25)) // expired for 15 s
	c.tokens["a"].expiresAt = at(40)
	within, outside := c.expiredSeconds(at(20), at(24), at(25))
	if within != 4 || outside != 11 {
		t.Errorf("%v within, %v outside", within, outside)
	}
	if _, outside := c.expiredSeconds(time.Time{}, time.Time{}, at(42)); outside != 17 {
		t.Errorf("with one that is expired now: %v", outside)
	}
	if count, repaired := c.expired(at(41)); count != 1 || !repaired.Equal(at(25)) {
		t.Errorf("%d expired, repaired %v", count, repaired)
	}
	if c.fewestTokens() != 2 {
		t.Errorf("fewest tokens = %d", c.fewestTokens())
	}
}

func TestReportJudges(t *testing.T) {
	r := report{Options: map[string]string{}}
	r.add(figure{Name: "too slow", Value: 6, Unit: "s", Target: 5})
	r.add(figure{Name: "fast enough", Value: 5, Unit: "s", Target: 5})
	r.add(figure{Name: "too little", Value: 40, Unit: "%", Target: 50, Least: true})
	r.add(figure{Name: "none wanted", Value: 0, Exact: true})
	r.add(figure{Name: "one too many", Value: 1, Exact: true})
	r.add(figure{Name: "no target", Value: 3})
	var out strings.Builder
	r.write(&out)
	for name, verdict := range map[string]string{
		"too slow": "MISSED", "fast enough": "met", "too little": "MISSED",
		"none wanted": "met", "one too many": "MISSED", "no target": "3",
	} {
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, name) && !strings.HasSuffix(strings.TrimSpace(line), verdict) {
				t.Errorf("want %s: %s", verdict, line)
			}
		}
	}
}
