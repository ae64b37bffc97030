package status

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/plugin/cli"
)

const (
	barWidth = 20
	// leftWidth and stateWidth are those of the widest that may stand there.
	leftWidth  = 7
	stateWidth = 9
)

// looks are the marks and the colors of the states.
var looks = map[State]struct {
	mark  string
	color cli.Color
}{
	Good:      {"●", cli.Green},
	Pending:   {"○", cli.Cyan},
	Suspended: {"‖", cli.Yellow},
	Failing:   {"●", cli.Yellow},
	Waiting:   {"○", cli.Red},
	Expired:   {"✗", cli.Red},
	Stalled:   {"✗", cli.Red},
	Unseen:    {"?", cli.Red},
}

// table draws reports, each in a line, with what is wrong and what to do below it.
type table struct {
	terminal cli.Terminal
	// namespaces says that the reports are of several.
	namespaces bool
	now        time.Time
}

func (t table) lines(reports []Report) []string {
	namespace, name := utf8.RuneCountInString("NAMESPACE"), utf8.RuneCountInString("NAME")
	for _, r := range reports {
		namespace = max(namespace, utf8.RuneCountInString(r.Namespace))
		name = max(name, utf8.RuneCountInString(r.Name))
	}
	first := func(ns, n string) string {
		if !t.namespaces {
			return cli.Pad(n, name)
		}
		return cli.Pad(ns, namespace) + "  " + cli.Pad(n, name)
	}
	lines := []string{t.terminal.Paint(cli.Dim, fmt.Sprintf("%s    %s  %s  %s  %s", first("NAMESPACE", "NAME"),
		cli.Pad("STATE", stateWidth), cli.Pad("LIFE OF THE TOKEN", barWidth), cli.Pad("LEFT", leftWidth), "NEXT"))}
	for _, r := range reports {
		look := looks[r.State]
		lines = append(lines, fmt.Sprintf("%s  %s  %s  %s  %s", first(r.Namespace, r.Name),
			t.terminal.Paint(look.color, look.mark+" "+cli.Pad(string(r.State), stateWidth)),
			t.bar(r), cli.Pad(t.left(r), leftWidth), r.Next))
		lines = append(lines, t.details(r)...)
	}
	return lines
}

// details are what is wrong with a credential, and what to do.
func (t table) details(r Report) []string {
	var texts []string
	if r.Trouble != nil {
		texts = append(texts, t.trouble(r.Trouble))
	}
	if r.RefreshTokenWarning != "" && !r.needsLogin() {
		texts = append(texts, r.RefreshTokenWarning)
	}
	if r.Advice != "" {
		texts = append(texts, "Run: "+r.Advice)
	}
	const indent = "    "
	var lines []string
	for _, text := range texts {
		for i, line := range cli.Wrap(text, max(0, t.terminal.Columns()-len(indent))) {
			lead := indent
			if i == 0 {
				lead = "  └ "
			}
			lines = append(lines, t.terminal.Paint(cli.Dim, lead)+line)
		}
	}
	return lines
}

func (t table) trouble(trouble *Trouble) string {
	text := trouble.Reason
	if trouble.Since != nil && trouble.Count > 1 {
		text += fmt.Sprintf(" (%d times in %s)", trouble.Count, cli.Duration(t.now.Sub(trouble.Since.Time)))
	}
	return text + ": " + trouble.Message
}

// left is how long the token is still good.
func (t table) left(r Report) string {
	switch {
	case r.IssuedAt == nil:
		return "-"
	case r.ExpiresAt == nil:
		return "unknown"
	}
	return cli.Duration(max(0, r.ExpiresAt.Sub(t.now)))
}

// bar draws what is left of a token's life as a heavy line, and marks where the next
// token is asked for.
func (t table) bar(r Report) string {
	if r.IssuedAt == nil || r.ExpiresAt == nil || !r.IssuedAt.Before(r.ExpiresAt) {
		return t.terminal.Paint(cli.Dim, strings.Repeat("·", barWidth))
	}
	life := r.ExpiresAt.Sub(r.IssuedAt.Time)
	cells := func(left time.Duration) int {
		return int(min(max(left, 0), life).Seconds() * barWidth / life.Seconds())
	}
	left := r.ExpiresAt.Sub(t.now)
	filled := cells(left)
	if filled == 0 && left > 0 {
		filled = 1 // What is not over shows.
	}
	drawn := slices.Concat(slices.Repeat([]rune{'━'}, filled), slices.Repeat([]rune{'─'}, barWidth-filled))
	if r.RefreshAt != nil && r.Trouble == nil {
		if mark := cells(r.ExpiresAt.Sub(r.RefreshAt.Time)); mark < filled {
			drawn[mark] = '╋'
		} else if mark < barWidth {
			drawn[mark] = '┼'
		}
	}
	color := cli.Green
	switch {
	case left < life/10:
		color = cli.Red
	case r.State != Good:
		color = cli.Yellow
	}
	return t.terminal.Paint(color, string(drawn[:filled])) + t.terminal.Paint(cli.Dim, string(drawn[filled:]))
}
