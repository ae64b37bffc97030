package monitoring

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/cluster"
)

const (
	rulesFile     = "charts/tokensync/alerts/tokensync.yaml"
	dashboardFile = "charts/tokensync/dashboards/tokensync.json"
	alertsPage    = "docs/alerts.md"
	runbook       = "https://github.com/tokensync/tokensync/blob/main/" + alertsPage + "#"
)

// rule is a rule of Prometheus.
type rule struct {
	Record      string            `json:"record"`
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// alerts are the alerts of the rules.
func alerts(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, rulesFile)), &file); err != nil {
		t.Fatal(err)
	}
	var found []rule
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if rule.Alert != "" {
				found = append(found, rule)
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no alerts in %s", rulesFile)
	}
	return found
}

// path is the path of a file of the repository.
func path(file string) string { return filepath.Join(cluster.Root(), filepath.FromSlash(file)) }

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(path(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// tool is the path of a program of Prometheus, which is fetched when it is first needed.
func tool(t *testing.T, name string) string {
	t.Helper()
	var said bytes.Buffer
	install := exec.CommandContext(t.Context(), path("hack/prometheus/install.sh"))
	install.Stderr = &said
	directory, err := install.Output()
	if err != nil {
		t.Fatalf("there is no Prometheus: %v\n%s", err, &said)
	}
	return filepath.Join(strings.TrimSpace(string(directory)), name)
}

// Each alert fires when it should, and stays silent when it should not.
func TestRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/alerts/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	promtool := tool(t, "promtool")
	var all strings.Builder
	for _, file := range files {
		all.WriteString(read(t, "test/monitoring/"+file))
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			if output, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
	for _, alert := range alerts(t) {
		if !strings.Contains(all.String(), `{alertname="`+alert.Alert+`"`) {
			t.Errorf("no test sees %s fire", alert.Alert)
		}
	}
}

// Whoever is woken by an alert finds out what it means, and what to do.
func TestEveryAlertIsExplained(t *testing.T) {
	t.Parallel()
	var explained []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (Tokensync\w+)$`).FindAllStringSubmatch(read(t, alertsPage), -1) {
		explained = append(explained, heading[1])
	}
	var known []string
	for _, alert := range alerts(t) {
		known = append(known, alert.Alert)
		if !slices.Contains(explained, alert.Alert) {
			t.Errorf("%s has no heading for %s", alertsPage, alert.Alert)
		}
		if want := runbook + strings.ToLower(alert.Alert); alert.Annotations["runbook_url"] != want {
			t.Errorf("the runbook of %s is %q, want %q", alert.Alert, alert.Annotations["runbook_url"], want)
		}
		if severity := alert.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s is of the severity %q", alert.Alert, severity)
		}
		for _, text := range []string{"summary", "description"} {
			if alert.Annotations[text] == "" {
				t.Errorf("%s has no %s", alert.Alert, text)
			}
		}
	}
	for _, heading := range explained {
		if !slices.Contains(known, heading) {
			t.Errorf("%s explains %s, which is no alert", alertsPage, heading)
		}
	}
}
