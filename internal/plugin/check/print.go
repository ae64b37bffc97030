package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/tokensync/tokensync/internal/plugin/cli"
)

// printer writes what is found, step by step.
type printer struct {
	out      io.Writer
	terminal cli.Terminal
	// err is the first error of a write.
	err error
}

// labelWidth is that of the longest label.
const labelWidth = 10

// step writes a step: a label, and a text that may be long.
func (p *printer) step(label, text string) {
	const indent = 2 + labelWidth + 2
	p.lines(label, cli.Wrap(text, max(0, p.terminal.Columns()-indent)))
}

// lines writes a step of several lines, which are kept as they are.
func (p *printer) lines(label string, lines []string) {
	for i, line := range lines {
		if i > 0 {
			label = ""
		}
		p.line(label, line)
	}
}

func (p *printer) line(label, text string) {
	p.write("  " + p.terminal.Paint(cli.Dim, cli.Pad(label, labelWidth)) + "  " + text)
}

// heading writes which credential it is about.
func (p *printer) heading(text string) { p.write(p.terminal.Paint(cli.Bold, text)) }

// mark is how a check ended, as a mark in front of the words.
type mark string

// The marks.
const (
	works mark = "✓"
	fails mark = "✗"
	// untried: nothing is wrong, as far as can be told without a request.
	untried mark = "–"
)

var colors = map[mark]cli.Color{works: cli.Green, fails: cli.Red, untried: cli.Yellow}

// verdict writes how it ended.
func (p *printer) verdict(m mark, text string) {
	for i, line := range cli.Wrap(text, max(0, p.terminal.Columns()-len("  - "))) {
		lead := "    "
		if i == 0 {
			lead = "  " + p.terminal.Paint(colors[m], string(m)) + " "
		}
		p.write(lead + line)
	}
}

func (p *printer) write(line string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.out, strings.TrimRight(line, " "))
	}
}
