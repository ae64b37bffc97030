package status

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/picture"
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
	// picture is what was drawn last.
	picture picture.Picture
	// seen is what was written last of each credential, and headed says that the heading
	// stands above.
	seen   map[string]string
	headed bool
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
	if f.headed {
		lines = lines[1:]
	}
	f.headed = true
	_, err := fmt.Fprintln(f.environment.Out, strings.Join(lines, "\n"))
	return err
}

// draw draws a picture over the one before.
func (f *follower) draw(cluster *cli.Cluster) error {
	lines := []string{f.nothing(cluster)}
	if len(f.reports) > 0 {
		lines = f.table(f.environment.Clock.Now()).lines(f.reports)
	}
	columns, rows := f.environment.Terminal.Size()
	_, err := fmt.Fprint(f.environment.Out, f.picture.Over(lines, columns, rows))
	return err
}
