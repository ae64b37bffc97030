package monitoring

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/test/eventually"
)

// A Prometheus scrapes an operator at work, with the rules of the project.
func TestPrometheus(t *testing.T) { //nolint:tparallel // The parts follow one another.
	t.Parallel()
	p := newStage(t)
	t.Run("dashboard", func(t *testing.T) { dashboardShowsWhatThereIs(t, p) })
	t.Run("alerts follow a token to its end", func(t *testing.T) { alertsFollowATokenToItsEnd(t, p) })
	t.Run("alerts tell who waits for a person", func(t *testing.T) { alertsTellWhoWaitsForAPerson(t, p) })
	t.Run("state is counted", func(t *testing.T) { stateIsCounted(t, p) })
	t.Run("nothing else alerts", func(t *testing.T) { nothingElseAlerts(t, p) })
	t.Run("rules are evaluated", func(t *testing.T) { rulesAreEvaluated(t, p) })
}

// raised waits until an alert has been raised for a credential.
func raised(t *testing.T, p prometheus, alert, state, credential string) {
	t.Helper()
	query := fmt.Sprintf(`last_over_time(ALERTS{alertname=%q, alertstate=%q, name=%q}[5m])`, alert, state, credential)
	eventually.Holds(t, alert+" is "+state+" for "+credential, func() bool { return len(p.values(t, query)) > 0 })
}

func alertsFollowATokenToItsEnd(t *testing.T, p prometheus) {
	t.Helper()
	raised(t, p, "TokensyncTokenExpiresSoon", "firing", "failing")
	raised(t, p, "TokensyncTokenExpired", "pending", "failing")
	raised(t, p, "TokensyncRefreshFailing", "firing", "failing") // Half a minute after the first try.
}

func alertsTellWhoWaitsForAPerson(t *testing.T, p prometheus) {
	t.Helper()
	raised(t, p, "TokensyncStalled", "pending", "refused")
	raised(t, p, "TokensyncAuthorizationRequired", "pending", "login")
}

// nothingElseAlerts holds for the operator, and for the credentials that are good or are not
// meant to have a token.
func nothingElseAlerts(t *testing.T, p prometheus) {
	t.Helper()
	for _, query := range []string{
		`last_over_time(ALERTS{name=~"good|kept|suspended"}[5m])`,
		`ALERTS{alertname=~"TokensyncOperatorDown|TokensyncNoLeader"}`,
	} {
		if values := p.values(t, query); len(values) > 0 {
			t.Errorf("%s yields %d alerts", query, len(values))
		}
	}
}

// rulesAreEvaluated tells of what only shows when a rule is evaluated, or an alert told: two
// series where one is due, and templates that do not work.
func rulesAreEvaluated(t *testing.T, p prometheus) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct {
				Name, Health, LastError string
				Alerts                  []struct{ Annotations map[string]string }
			}
		}
	}
	p.get(t, "/api/v1/rules", nil, &data)
	evaluated := 0
	for _, group := range data.Groups {
		for _, rule := range group.Rules {
			evaluated++
			if rule.Health != "ok" {
				t.Errorf("%s is %s: %s", rule.Name, rule.Health, rule.LastError)
			}
			for _, alert := range rule.Alerts {
				for _, text := range alert.Annotations {
					if strings.Contains(text, "<error") || strings.Contains(text, "<no value>") {
						t.Errorf("%s says %q", rule.Name, text)
					}
				}
			}
		}
	}
	if evaluated < len(alerts(t)) {
		t.Errorf("%d rules are evaluated, and there are %d alerts", evaluated, len(alerts(t)))
	}
}
