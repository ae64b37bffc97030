package main

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// beat is how often the story looks whether it can go on.
	beat = 20 * time.Millisecond
	// deleted and mistyped are the credentials that something happens to.
	deleted, deletedSecret = "web/acme-news", "acme-news-token"
	mistyped               = "search/index"
	// rotating is the credential whose refresh token rotates.
	rotating = "siem/organization"
)

// tellStory lets things go wrong, at fixed parts of the time that there is.
func (d *demo) tellStory(ctx context.Context) error {
	part := func(percent int64) time.Time {
		return d.board.began.Add(time.Duration(d.length.Nanoseconds() * percent / 100))
	}
	d.board.tellf("all is applied, %s with a wrong client secret", mistyped)
	if !d.until(ctx, part(15), nil) {
		return nil
	}
	d.outage(ctx, part(50))
	if !d.until(ctx, part(62), nil) {
		return nil
	}
	if err := d.deleteSecret(ctx); err != nil {
		return err
	}
	if !d.until(ctx, part(75), nil) {
		return nil
	}
	return d.correctSecret(ctx)
}

// until waits for an instant, or for something to be so before it, and tells
// whether that came to pass.
func (d *demo) until(ctx context.Context, at time.Time, happened func() bool) bool {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		if happened != nil && happened() {
			return true
		}
		if !time.Now().Before(at) {
			return happened == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
}

// tellRotation tells when a refresh token that came with a token was used for the next.
func (d *demo) tellRotation(ctx context.Context) error {
	for _, p := range d.providers {
		if p.family == "" {
			continue
		}
		again := func() bool { count, _ := p.rotations(); return count > 1 }
		if d.until(ctx, d.board.began.Add(d.length), again) {
			d.board.tellf("%s has rotated the refresh token in the Secret %s-grant", p.name, rotating)
		}
	}
	return nil
}

// outage makes one provider fail when its next tokens are about to be asked for,
// for a sixth of their life: that of the longest-lived tokens for which this comes
// in time.
func (d *demo) outage(ctx context.Context, latest time.Time) {
	providers := slices.Clone(d.providers)
	slices.SortFunc(providers, func(a, b *provider) int { return int(b.lifetime - a.lifetime) })
	for _, p := range providers {
		next, names := d.nextRefresh(p)
		start := next.Add(-time.Second / 2)
		if names == nil || start.After(latest) {
			continue
		}
		if !d.until(ctx, start, nil) {
			return
		}
		d.fail(ctx, p, names)
		return
	}
}

// fail makes a provider fail, and waits until its credentials have got over it.
func (d *demo) fail(ctx context.Context, p *provider, names []string) {
	length := p.lifetime / 6
	p.fail()
	d.board.tellf("%s goes down, just when new tokens are due: 503 for every request", p.name)
	d.until(ctx, time.Now().Add(length), nil)
	p.recover()
	if len(d.board.view(time.Now()).expired) == 0 {
		d.board.tellf("%s is back after %s; the tokens in the Secrets were good all along", p.name, length)
	}
	if d.until(ctx, time.Now().Add(p.lifetime/3), func() bool { return d.refreshed(names) }) {
		d.board.tellf("%s have new ones", strings.Join(names, " and "))
	}
}

// nextRefresh is when the next token of a provider is due, and which credentials
// it serves with good ones.
func (d *demo) nextRefresh(p *provider) (next time.Time, names []string) {
	for _, r := range d.board.view(time.Now()).rows {
		if r.provider != p || !r.good || r.refreshAt.Before(time.Now()) {
			continue
		}
		names = append(names, r.key())
		if next.IsZero() || r.refreshAt.Before(next) {
			next = r.refreshAt
		}
	}
	return next, names
}

// refreshed says that credentials hold tokens in the first half of their lives.
func (d *demo) refreshed(names []string) bool {
	for _, name := range names {
		if r := d.board.row(name); time.Until(r.expiresAt) < r.provider.lifetime/2 {
			return false
		}
	}
	return true
}

// deleteSecret deletes a target Secret, as somebody might, and waits for the next.
func (d *demo) deleteSecret(ctx context.Context) error {
	before := d.board.row(deleted)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: before.namespace, Name: deletedSecret}}
	if err := d.cluster.Client.Delete(ctx, secret); err != nil {
		return err
	}
	gone := time.Now()
	d.board.tellf("somebody deletes the Secret %s/%s", before.namespace, deletedSecret)
	if d.until(ctx, gone.Add(before.provider.lifetime), func() bool {
		r := d.board.row(deleted)
		return r.good && r.uid != before.uid
	}) {
		d.board.tellf("it is back with a new token, %s later", roughly(time.Since(gone)))
	}
	return nil
}

// correctSecret puts the right client secret in place of the wrong one.
func (d *demo) correctSecret(ctx context.Context) error {
	r := d.board.row(mistyped)
	patch := `{"stringData":{"client_secret":"` + clientSecret + `"}}`
	if err := d.kubectl(ctx, "", "patch", "secret", "index-client", "-n", r.namespace, "-p", patch); err != nil {
		return err
	}
	corrected := time.Now()
	d.board.tellf("somebody corrects the client secret of %s", mistyped)
	if d.until(ctx, corrected.Add(r.provider.lifetime), func() bool { return d.board.row(mistyped).good }) {
		d.board.tellf("%s has its first token, %s later", mistyped, roughly(time.Since(corrected)))
	}
	return nil
}

// roughly rounds to what a person can tell apart: nothing below the distance of
// two checks.
func roughly(d time.Duration) string {
	if d < 2*checkInterval {
		return "less than " + (2 * checkInterval).String()
	}
	return d.Round(checkInterval).String()
}
