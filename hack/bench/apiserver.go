package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// requests counts requests to the API server, by verb and resource.
type requests map[string]float64

// series is one line of a metric: its labels and its value.
var (
	series = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? (\S+)$`)
	label  = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// eachSeries hands on every series of a metric in the text of Prometheus.
func eachSeries(text []byte, metric string, do func(labels map[string]string, value float64)) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte(metric)) {
			continue
		}
		match := series.FindStringSubmatch(lines.Text())
		if match == nil || match[1] != metric {
			continue
		}
		labels := map[string]string{}
		for _, pair := range label.FindAllStringSubmatch(match[2], -1) {
			labels[pair[1]] = pair[2]
		}
		if value, err := strconv.ParseFloat(match[3], 64); err == nil {
			do(labels, value)
		}
	}
}

// readRequests asks the API server itself what it was asked for. The operator is
// the only one that asks for these resources while something is measured, but for
// the watches of the bench; watches are not counted.
func (b *bench) readRequests(ctx context.Context) (requests, error) {
	text, err := b.send(ctx, "GET", "/metrics", "")
	if err != nil {
		return nil, err
	}
	counted := requests{}
	eachSeries(text, "apiserver_request_total", func(labels map[string]string, value float64) {
		resource := labels["resource"]
		if !slices.Contains([]string{"secrets", "configmaps", "oauthcredentials", "events"}, resource) || labels["verb"] == "WATCH" {
			return
		}
		if labels["subresource"] != "" {
			resource += "/" + labels["subresource"]
		}
		counted[labels["verb"]+" "+resource] += value
	})
	return counted, nil
}

// readSecretRequests asks the API server what it was asked for of Secrets, watches and
// all.
func (b *bench) readSecretRequests(ctx context.Context) (requests, error) {
	text, err := b.send(ctx, "GET", "/metrics", "")
	return countSecretRequests(text), err
}

// countSecretRequests counts all but the watches of all namespaces, which are not a
// sidecar's. The API server counts a watch when it has ended, and tells how many there
// are.
func countSecretRequests(text []byte) requests {
	counted := requests{}
	count := func(labels map[string]string, value float64) {
		if labels["resource"] == "secrets" && (labels["verb"] != "WATCH" || labels["scope"] != "cluster") {
			counted[labels["verb"]+" secrets"] += value
		}
	}
	eachSeries(text, "apiserver_request_total", count)
	eachSeries(text, "apiserver_longrunning_requests", count)
	return counted
}

// since is what was counted after an earlier reading.
func (r requests) since(before requests) requests {
	difference := requests{}
	for what, count := range r {
		if count -= before[what]; count > 0 {
			difference[what] = count
		}
	}
	return difference
}

// reads and writes add up by kind.
func (r requests) reads() float64 {
	return r.sum(func(verb string) bool { return verb == "GET" || verb == "LIST" })
}

func (r requests) writes() float64 {
	return r.sum(func(verb string) bool { return verb != "GET" && verb != "LIST" })
}

func (r requests) sum(counts func(verb string) bool) (total float64) {
	for what, count := range r {
		if verb, _, _ := strings.Cut(what, " "); counts(verb) {
			total += count
		}
	}
	return total
}

// each writes what was counted, divided by something.
func (r requests) each(by float64) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, fmt.Sprintf("%s %.2f", what, r[what]/by))
	}
	return strings.Join(parts, ", ")
}
