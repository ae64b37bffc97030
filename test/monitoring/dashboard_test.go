package monitoring

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/test/eventually"
)

// panel is one of the dashboard, as far as it concerns what it shows.
type panel struct {
	Type, Title, Description string
	Targets                  []struct{ Expr string }
	Panels                   []panel
}

// panels are those of the dashboard, but for the rows that they stand in.
func panels(t *testing.T) []panel {
	t.Helper()
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard); err != nil {
		t.Fatal(err)
	}
	var found []panel
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" {
			found = append(found, panel)
		}
		if len(panel.Panels) > 0 {
			t.Errorf("the row %q is collapsed, and hides its panels", panel.Title)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no panels in %s", dashboardFile)
	}
	return found
}

// asked is a query as Grafana sends it: for all namespaces, and with a window of ten scrapes.
func asked(query string) string {
	return strings.NewReplacer("$namespace", ".*", "$__rate_interval", "10s").Replace(query)
}

// Every query of every panel yields something, with credentials in every state.
func dashboardShowsWhatThereIs(t *testing.T, p prometheus) {
	t.Helper()
	for _, panel := range panels(t) {
		t.Run(panel.Title, func(t *testing.T) {
			if len(panel.Targets) == 0 || panel.Description == "" {
				t.Error("asks for nothing, or does not say what it shows")
			}
			for _, target := range panel.Targets {
				eventually.Holds(t, target.Expr+" yields something", func() bool {
					return len(p.values(t, asked(target.Expr))) > 0
				})
			}
		})
	}
}

// The numbers at the top are those of testdata/credentials.yaml, each credential in one of them.
func stateIsCounted(t *testing.T, p prometheus) {
	t.Helper()
	want := []float64{2, 0, 3, 1} // Good, failing, not ready, suspended; failing has expired by then.
	top := panels(t)[0]
	if len(top.Targets) != len(want) {
		t.Fatalf("%q has %d numbers", top.Title, len(top.Targets))
	}
	for i, target := range top.Targets {
		eventually.Holds(t, target.Expr+" is right", func() bool {
			values := p.values(t, asked(target.Expr))
			return len(values) == 1 && values[0] == want[i]
		})
	}
}
