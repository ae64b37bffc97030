package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// report is what was measured.
type report struct {
	Options map[string]string `json:"options"`
	Figures []figure          `json:"figures"`

	ceiling float64
	work    float64 // CPU time of all involved for one credential of the ceiling, in ms
	outage  gap
}

// figure is one thing that was measured. Text stands for what is no number.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit,omitempty"`
	Text     string  `json:"text,omitempty"`
	Decimals int     `json:"-"`

	// Target is the most that it should be, or with Least the least. Zero is no
	// target, but with Exact.
	Target float64 `json:"target,omitempty"`
	Least  bool    `json:"least,omitempty"`
	Exact  bool    `json:"exact,omitempty"`
	// Met says whether the target is met; nil where there is none.
	Met *bool `json:"met,omitempty"`
	// Peer is what External Secrets Operator 2.9 needs for the same, with a webhook
	// generator: by default, and with its best settings.
	Peer string `json:"externalSecrets,omitempty"`
}

// add judges a figure and keeps it.
func (r *report) add(f figure) {
	// A count is a ratio of two readings that are not taken at the same instant.
	const tolerance = 1.005
	switch {
	case f.Least:
		met := f.Value*tolerance >= f.Target
		f.Met = &met
	case f.Exact, f.Target > 0:
		met := f.Value <= f.Target*tolerance
		f.Met = &met
	}
	r.Figures = append(r.Figures, f)
}

func (f figure) measured() string {
	if f.Text != "" {
		return f.Text
	}
	return strings.TrimSpace(fmt.Sprintf("%.*f %s", f.Decimals, f.Value, f.Unit))
}

func (f figure) goal() string {
	switch {
	case f.Met == nil:
		return ""
	case f.Least:
		return fmt.Sprintf("at least %.0f", f.Target)
	case f.Target == 0:
		return "none"
	default:
		return fmt.Sprintf("at most %.0f", f.Target)
	}
}

func (f figure) verdict() string {
	switch {
	case f.Met == nil:
		return ""
	case *f.Met:
		return "met"
	default:
		return "MISSED"
	}
}

// write writes a table.
func (r *report) write(out io.Writer) {
	_, _ = fmt.Fprintln(out)
	if r.Options["credentials"] != "" {
		_, _ = fmt.Fprintf(out, "%s credentials in %s namespaces, %s; tokens of %s\n\n",
			r.Options["credentials"], r.Options["namespaces"], r.Options["provider"], r.Options["lifetime"])
	}
	rows := [][]string{{"WHAT", "MEASURED", "TARGET", "VERDICT", "ESO 2.9 AT 1,000"}}
	for _, f := range r.Figures {
		rows = append(rows, []string{f.Name, f.measured(), f.goal(), f.verdict(), f.Peer})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			if row[len(row)-1] == "" && row[2] == "" && i > 0 {
				break // free text may run over the columns to its right
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))+2))
		}
		_, _ = fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}

func (r *report) writeJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
