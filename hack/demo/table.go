package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The colors.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

const (
	stateWidth   = 24
	expiresWidth = 8
	barWidth     = 24
	eventsKept   = 5 // of those that happened, as many lines are shown
)

// paint colors a text, where the terminal may be colored.
func (t *terminal) paint(color, text string) string {
	if !t.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// table draws the board.
func (t *terminal) table(v view) []string {
	lines := []string{t.paint(dim, fmt.Sprintf("  %-18s %-12s %-*s %*s  %-*s %9s",
		"CREDENTIAL", "PROVIDER", stateWidth, "STATE", expiresWidth, "EXPIRES", barWidth, "LIFE OF THE TOKEN", "REFRESHES"))}
	for _, r := range v.rows {
		lines = append(lines, t.row(r, v.now))
	}
	good, issued, refreshes, _ := v.totals()
	found := t.paint(green, "none was expired")
	if len(v.expired) > 0 {
		found = t.paint(red, fmt.Sprintf("%d WERE EXPIRED", len(v.expired)))
	}
	lines = append(lines, "", fmt.Sprintf("  %s  %d of %d good, %d tokens issued, %d refreshes; of %d tokens read %s",
		t.paint(bold, clock(v.elapsed)), good, len(v.rows), issued, refreshes, v.checks, found), t.consumer(v.sidecar), "")
	for _, event := range v.events[max(0, len(v.events)-eventsKept):] {
		at, what, _ := strings.Cut(event, "  ")
		lines = append(lines, "  "+t.paint(dim, at)+"  "+what)
	}
	for range eventsKept - len(v.events) {
		lines = append(lines, "")
	}
	return lines
}

// consumer draws the one that has its token by the sidecar.
func (t *terminal) consumer(v delivered) string {
	calls, tokens := v.outcome()
	color := green
	if v.refused > 0 {
		color = red
	}
	return fmt.Sprintf("  %s  via tokensync-sidecar: %s%s", t.paint(bold, "consumer"), t.paint(color, calls), tokens)
}

// row draws one credential.
func (t *terminal) row(r row, now time.Time) string {
	color, state := r.state()
	provider := pad(r.provider.name, 12)
	if r.provider.down.Load() {
		provider = t.paint(red, provider)
	}
	if r.code != "" && !r.there { // What a person has to know stands where the token would.
		waits := pad("○ waits for a person: enter "+r.code, stateWidth+1+expiresWidth+2+barWidth)
		return fmt.Sprintf("  %-18s %s %s %9d", r.key(), provider, t.paint(yellow, waits), r.refreshes())
	}
	left := r.expiresAt.Sub(now)
	expires, bar := "-", t.paint(dim, strings.Repeat("─", barWidth))
	if r.there {
		expires = fmt.Sprintf("%.1f s", left.Seconds())
		bar = t.bar(left, r.expiresAt.Sub(r.refreshAt), r.provider.lifetime)
	}
	return fmt.Sprintf("  %-18s %s %s %*s  %s %9d", r.key(), provider, t.paint(color, pad(state, stateWidth)),
		expiresWidth, expires, bar, r.refreshes())
}

// state says in words how a credential is, and how worrying that is.
func (r row) state() (color, text string) {
	switch {
	case r.there && !r.good:
		return red, "✗ EXPIRED"
	case r.good && r.failing != "":
		return yellow, "● good, trying again"
	case r.good:
		return green, "● good"
	case r.reason == "" || r.failing == "":
		return cyan, "○ asking for a token"
	default:
		return red, "○ " + r.reason
	}
}

// bar draws what is left of a token's life as a heavy line, and marks where the
// next token is asked for.
func (t *terminal) bar(left, refresh, life time.Duration) string {
	cells := func(d time.Duration) int { return int(min(max(d, 0), life) * barWidth / life) }
	filled, mark := cells(left), cells(refresh)
	color := green
	if left < refresh {
		color = yellow
	}
	if left < life/10 {
		color = red
	}
	heavy, light := []rune(strings.Repeat("━", filled)), []rune(strings.Repeat("─", barWidth-filled))
	switch {
	case mark < filled:
		heavy[mark] = '╋'
	case mark < barWidth:
		light[mark-filled] = '┼'
	}
	return t.paint(color, string(heavy)) + t.paint(dim, string(light))
}

// line is the board in one line.
func (v view) line() string {
	good, issued, refreshes, shortest := v.totals()
	calls, _ := v.sidecar.outcome()
	return fmt.Sprintf("%s  %d of %d good (the shortest for %.1f s), %d tokens issued, %d refreshes; of %d tokens read %d were expired; "+
		"via tokensync-sidecar %s",
		clock(v.elapsed), good, len(v.rows), max(0, shortest).Seconds(), issued, refreshes, v.checks, len(v.expired), calls)
}

// pad fills a text with spaces, counting what is seen.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
