package monitoring

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"
)

// configuration is that of a Prometheus which looks as often as it can, and at labels as
// the ServiceMonitor has it do.
const configuration = `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
- job_name: tokensync
  honor_labels: true
  static_configs: [{targets: [%q]}]
`

// prometheus is one that runs.
type prometheus struct{ url string }

// startPrometheus has a Prometheus scrape an address until the test ends.
func startPrometheus(t *testing.T, target string) prometheus {
	t.Helper()
	directory := t.TempDir()
	config := filepath.Join(directory, "prometheus.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, configuration, path(rulesFile), target), 0o600); err != nil {
		t.Fatal(err)
	}
	addresses, err := operator.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	address := addresses[0]
	log := &output.Log{}
	command := exec.Command(tool(t, "prometheus"), "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(directory, "data"), "--web.listen-address="+address)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil || t.Failed() {
			t.Logf("Prometheus ended (%v) and said:\n%s", err, log)
		}
	})
	p := prometheus{url: "http://" + address}
	eventually.Holds(t, "Prometheus is ready", func() bool {
		response, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return p
}

// get reads what the API of Prometheus answers. An error that it tells ends the test.
func (p prometheus) get(t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	response, err := http.Get(p.url + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != "success" {
		t.Fatalf("%s %s: %s", path, query, answer.Error)
	}
}

// values are what a query yields now, but for those that are no number.
func (p prometheus) values(t *testing.T, query string) []float64 {
	t.Helper()
	var data struct {
		Result []struct{ Value [2]any }
	}
	p.get(t, "/api/v1/query", url.Values{"query": {query}}, &data)
	var numbers []float64
	for _, sample := range data.Result {
		number, err := strconv.ParseFloat(sample.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		if !math.IsNaN(number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}
