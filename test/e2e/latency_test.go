package e2e_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tokensync/tokensync/test/e2e/app/report"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The kubelet's settings, as the table calls them.
const (
	syncEachSecond = "1 s"
	syncByDefault  = "1 min (default)"
)

// latency is how long tokens took from their issue to the apps, by one way.
type latency struct {
	way, kubelet string
	samples      []time.Duration
}

// latencies are those of the whole suite, in the order of their first sample.
var latencies []*latency

// sync is the setting of the kubelet while nobody has changed it.
func sync() string {
	if onNode() {
		return syncEachSecond
	}
	return syncByDefault
}

// measure adds the tokens of a consumer to the table: all but the first one, which was there
// before the app.
func measure(way, kubelet string, seen report.Consumer) *latency {
	at := slices.IndexFunc(latencies, func(l *latency) bool { return l.way == way && l.kubelet == kubelet })
	if at < 0 {
		at = len(latencies)
		latencies = append(latencies, &latency{way: way, kubelet: kubelet})
	}
	for _, token := range seen.AcceptedTokens()[1:] {
		latencies[at].samples = append(latencies[at].samples, token.Delay())
	}
	return latencies[at]
}

func (l *latency) median() time.Duration {
	sorted := slices.Sorted(slices.Values(l.samples))
	return sorted[len(sorted)/2]
}

// latencyTable has a row for each way and setting of the kubelet.
func latencyTable() string {
	var table strings.Builder
	const row = "%-22s  %-18s  %5v  %8v  %8v\n"
	fmt.Fprintf(&table, row, "way", "kubelet syncs each", "n", "p50", "max")
	for _, l := range latencies {
		fmt.Fprintf(&table, row, l.way, l.kubelet, len(l.samples),
			l.median().Round(time.Millisecond), slices.Max(l.samples).Round(time.Millisecond))
	}
	return table.String()
}

var _ = ReportAfterSuite("latencies", func(Report) {
	if len(latencies) == 0 {
		return
	}
	_, err := os.Stdout.WriteString("\nFrom the issue of a token to its bytes in the app:\n" + latencyTable())
	Expect(err).NotTo(HaveOccurred())
})
