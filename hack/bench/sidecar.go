package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// sidecarUpdates is how often Secrets are written while sidecars watch them.
	sidecarUpdates = 300
	// sidecarLimit bounds what takes milliseconds.
	sidecarLimit = 30 * time.Second
	// kubeletDelay is what the file of a sidecar is to be compared with.
	kubeletDelay = "40 to 90 s, measured with a kubelet at its defaults, not in this run"
)

// measureSidecar measures one sidecar, and then some at once, before there is an
// operator, which would write and read Secrets besides.
func (b *bench) measureSidecar(ctx context.Context) error {
	if err := b.grantSidecars(ctx); err != nil {
		return err
	}
	if err := b.measureOneSidecar(ctx); err != nil {
		return err
	}
	return b.measureManySidecars(ctx)
}

// measureOneSidecar writes one Secret, with a sidecar and a bare watch at it.
func (b *bench) measureOneSidecar(ctx context.Context) error {
	p, err := b.newPods(ctx, 1)
	if err != nil {
		return err
	}
	defer p.stop()
	before, err := b.readSecretRequests(ctx)
	if err != nil {
		return err
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	started, err := b.readSecretRequests(ctx)
	if err != nil {
		return err
	}
	b.sayf("sidecar: write its Secret %d times; its files are in %s", sidecarUpdates, p.root)
	one := p.all[0]
	pid := one.process.PID()
	cpu := cpuOf(pid)
	if err := p.update(ctx, sidecarUpdates); err != nil {
		return err
	}
	used := cpuOf(pid) - cpu
	after, err := b.readSecretRequests(ctx)
	if err != nil {
		return err
	}
	b.reportDelays(one)
	b.report.add(figure{Name: "sidecar: requests at its start", Text: started.since(before).each(1)})
	asked := after.since(started)
	b.report.add(figure{
		Name: fmt.Sprintf("sidecar: requests in %d updates", sidecarUpdates), Exact: true,
		Value: asked.reads() + asked["WATCH secrets"],
	})
	delivered := one.file.distinct() - 1 // The first was there before.
	b.report.add(figure{Name: "sidecar: memory (VmRSS)", Value: memoryOf(pid, "VmRSS"), Unit: "MiB", Decimals: 1, Target: 20})
	b.report.add(figure{Name: "sidecar: of that its own (RssAnon)", Value: memoryOf(pid, "RssAnon"), Unit: "MiB", Decimals: 1})
	b.report.add(figure{Name: "sidecar: CPU each token", Value: used.Seconds() * 1000 / float64(delivered), Unit: "ms", Decimals: 2})
	b.report.add(figure{Name: "sidecar: tokens overtaken by the next one", Value: float64(sidecarUpdates - delivered)})
	return nil
}

// reportDelays tells how long it took from writes to the file of the one sidecar, and
// a watch saw of them.
func (b *bench) reportDelays(one *pod) {
	file, event := one.file.after(one.written, whenSent), one.event.after(one.written, whenSent)
	b.sayf("sidecar: write to file %s; to the event of a bare watch %s", file, event)
	b.report.add(figure{Name: "sidecar: write to file, p50", Value: file.quantile(0.5), Unit: "ms", Decimals: 1})
	b.report.add(figure{Name: "sidecar: write to file, p99", Value: file.quantile(0.99), Unit: "ms", Decimals: 1, Target: 100})
	b.report.add(figure{Name: "sidecar: write to file, at most", Value: file.quantile(1), Unit: "ms", Decimals: 1})
	b.report.add(figure{Name: "sidecar: acknowledged write to file", Text: one.file.after(one.written, whenAcknowledged).String()})
	b.report.add(figure{Name: "bare watch: write to event", Text: event.String()})
	b.report.add(figure{Name: "sidecar: from that event to file", Text: file.minus(event).String()})
	b.report.add(figure{Name: "sidecar: file beside bare watch, p50", Value: file.quantile(0.5) / event.quantile(0.5), Unit: "times", Decimals: 2})
	b.report.add(figure{Name: "sidecar: file beside bare watch, p99", Value: file.quantile(0.99) / event.quantile(0.99), Unit: "times", Decimals: 2})
	b.report.add(figure{Name: "mounted Secret: write to file", Text: kubeletDelay})
}

// measureManySidecars writes the Secrets of some sidecars in turn.
func (b *bench) measureManySidecars(ctx context.Context) error {
	n := b.options.sidecars
	b.sayf("sidecar: start %d of them, with a Secret each", n)
	p, err := b.newPods(ctx, n)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.start(ctx); err != nil {
		return err
	}
	b.sayf("sidecar: write their Secrets in turn, %d times", sidecarUpdates)
	if err := p.update(ctx, sidecarUpdates); err != nil {
		return err
	}
	var all, added spread
	largest := 0.0
	for _, one := range p.all {
		file := one.file.after(one.written, whenSent)
		all, added = append(all, file...), append(added, file.minus(one.event.after(one.written, whenSent))...)
		largest = max(largest, memoryOf(one.process.PID(), "VmRSS"))
	}
	name := fmt.Sprintf("%d sidecars: ", n)
	b.report.add(figure{Name: name + "write to file, p99", Value: all.quantile(0.99), Unit: "ms", Decimals: 1, Target: 100})
	b.report.add(figure{Name: name + "write to file", Text: all.String()})
	b.report.add(figure{Name: name + "from the event of a bare watch to file", Text: added.String()})
	b.report.add(figure{Name: name + "memory of the largest", Value: largest, Unit: "MiB", Decimals: 1, Target: 20})
	return nil
}
