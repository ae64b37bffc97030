package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// summarize tells how it went.
func (d *demo) summarize(v view) {
	if d.out.live {
		d.out.draw(d.out.table(v))
	} else {
		d.out.linef("")
		for _, line := range d.out.table(v)[:len(v.rows)+1] {
			d.out.linef("%s", line)
		}
	}
	var requests int64
	for _, p := range d.providers {
		requests += p.server.Counts().Requests
	}
	_, issued, refreshes, _ := v.totals()
	d.out.linef("")
	d.out.linef("  In %s: %d tokens issued, %d of them refreshes, by %d token requests.",
		v.elapsed.Round(time.Second), issued, refreshes, requests)
	mark := d.out.paint(green, "✓")
	if len(v.expired) > 0 {
		mark = d.out.paint(red, "✗")
	}
	d.out.linef("  %s A consumer read tokens %d times and found %d expired; the closest one had %.1f s to live.",
		mark, v.checks, len(v.expired), max(0, v.closest).Seconds())
	d.summarizeSidecar(v.sidecar)
	d.summarizeRotation()
	d.out.linef("")
}

// summarizeSidecar tells how the consumer fared that has its token by the sidecar.
func (d *demo) summarizeSidecar(v delivered) {
	mark := d.out.paint(green, "✓")
	if v.refused > 0 {
		mark = d.out.paint(red, "✗")
	}
	calls, tokens := v.outcome()
	d.out.linef("  %s A consumer via tokensync-sidecar made %s%s.", mark, calls, tokens)
}

// summarizeRotation tells what became of refresh tokens.
func (d *demo) summarizeRotation() {
	for _, p := range d.providers {
		if p.family == "" {
			continue
		}
		count, whole := p.rotations()
		mark, outcome := d.out.paint(green, "✓"), "none was lost"
		if !whole {
			mark, outcome = d.out.paint(red, "✗"), "one was sent a second time"
		}
		d.out.linef("  %s %s has rotated the refresh token of %s %d times, and %s.", mark, p.name, rotating, count, outcome)
	}
}

// rotationVerdict is an error where a refresh token was lost.
func rotationVerdict(providers []*provider) error {
	for _, p := range providers {
		if p.family == "" {
			continue
		}
		if _, whole := p.rotations(); !whole {
			return fmt.Errorf("%s has refused a refresh token of %s", p.name, rotating)
		}
	}
	return nil
}

// verdict is an error where the promise was broken.
func (v view) verdict(length time.Duration) error {
	if len(v.expired) > 0 {
		names := slices.Clone(v.expired)
		slices.Sort(names)
		return fmt.Errorf("expired tokens were found: %s", strings.Join(slices.Compact(names), ", "))
	}
	if v.elapsed < length {
		return nil // Ctrl-C before everything could happen
	}
	var never []string
	for _, r := range v.rows {
		if !r.everGood {
			never = append(never, r.key())
		}
	}
	if never != nil {
		return fmt.Errorf("never got a token: %s", strings.Join(never, ", "))
	}
	return nil
}
