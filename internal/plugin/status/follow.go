package status

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/plugin/cli"
)

const (
	// tick is how often a picture is drawn anew, and glance how often the cluster is
	// asked for what has changed.
	tick   = time.Second
	glance = 2 * time.Second
)

// follow shows credentials until the context ends, which is no error: on a terminal as a
// picture that changes, else in lines that are written when they change.
func (o *options) follow(ctx context.Context, cluster *cli.Cluster) error {
	f := &follower{options: o, seen: map[string]string{}}
	ticker := o.environment.Clock.NewTicker(tick)
	defer ticker.Stop()
	for {
		if err := f.look(ctx, cluster); err != nil {
			if ctx.Err() != nil {
				return nil // The person has seen enough.
			}
			return err
		}
		if err := f.show(cluster); err != nil {
			return err
		}
		select {
		case <-ticker.C():
		case <-ctx.Done():
			return nil
		}
	}
}

// follower is a view of credentials over time.
type follower struct {
	*options

	reports  []Report
	lookedAt time.Time
	// describeAt makes the reports anew for another instant.
	describeAt func(time.Time) []Report
	// seen is what was written last of each credential, and drawn how many lines the
	// picture before has.
	seen  map[string]string
	drawn int
}

// look reads the credentials, unless that was just done.
func (f *follower) look(ctx context.Context, cluster *cli.Cluster) error {
	now := f.environment.Clock.Now()
	if f.describeAt == nil || now.Sub(f.lookedAt) >= glance {
		credentials, err := f.selection.Credentials(ctx, cluster)
		if err != nil {
			return err
		}
		f.lookedAt = now
		f.describeAt = func(at time.Time) []Report { return describe(credentials, at) }
	}
	f.reports = f.describeAt(now)
	return nil
}

func (f *follower) show(cluster *cli.Cluster) error {
	if f.environment.Terminal.Out {
		return f.draw(cluster)
	}
	var changed []Report
	for _, r := range f.reports {
		key, state := r.Namespace+"/"+r.Name, fmt.Sprint(r.State, r.Trouble, r.IssuedAt, r.ExpiresAt, r.RefreshAt)
		if f.seen[key] != state {
			changed = append(changed, r)
		}
		f.seen[key] = state
	}
	lines := f.table(f.environment.Clock.Now()).lines(changed)
	if len(changed) == 0 {
		return nil
	}
	if f.drawn > 0 {
		lines = lines[1:] // The heading stands above.
	}
	f.drawn = len(lines)
	_, err := fmt.Fprintln(f.environment.Out, strings.Join(lines, "\n"))
	return err
}

// draw draws a picture over the one before. What does not fit is left out, from the end.
func (f *follower) draw(cluster *cli.Cluster) error {
	lines := []string{f.nothing(cluster)}
	if len(f.reports) > 0 {
		lines = f.table(f.environment.Clock.Now()).lines(f.reports)
	}
	columns, rows := f.environment.Terminal.Size()
	if len(lines) >= rows {
		lines = lines[:max(rows-1, 1)]
	}
	var picture strings.Builder
	if f.drawn > 0 {
		fmt.Fprintf(&picture, "\x1b[%dA\r", f.drawn)
	}
	for _, line := range lines {
		picture.WriteString(clip(line, columns) + "\x1b[K\n")
	}
	picture.WriteString("\x1b[J") // What the last picture had below.
	f.drawn = len(lines)
	_, err := fmt.Fprint(f.environment.Out, picture.String())
	return err
}

// clip cuts a line to so many columns, not counting colors.
func clip(line string, columns int) string {
	width, escape := 0, false
	for at, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		case width == columns:
			return line[:at] + "\x1b[0m"
		default:
			width++
		}
	}
	return line
}
