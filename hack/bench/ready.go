package main

import (
	"context"
	"fmt"
	"time"
)

// measureReady makes the credentials, starts the operator, and waits until all of
// them are Ready.
func (b *bench) measureReady(ctx context.Context) error {
	n := b.options.n
	b.sayf("ready: make %d credentials, and a Secret for the client of each", n)
	if err := b.createClients(ctx, "bench"); err != nil {
		return err
	}
	if err := b.createCredentials(ctx, "bench", n); err != nil {
		return err
	}
	before, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	b.sayf("ready: start the operator")
	began, machine := time.Now(), b.readMachine()
	if err := b.startOperator(ctx); err != nil {
		return err
	}
	const limit = 30 * time.Minute
	err = b.await(ctx, limit, func() bool { _, all := b.consumer.readiness(); return !all.IsZero() }, func() string {
		ready, _ := b.consumer.readiness()
		return fmt.Sprintf("%d of %d are Ready", ready, n)
	})
	if err != nil {
		return err
	}
	_, all := b.consumer.readiness()
	took := all.Sub(began).Seconds()
	b.reportReady(took)
	work := b.reportSplit("ready", machine, float64(n)) + cpuOf(b.operator.PID()).Seconds()*1000/float64(n)
	if b.report.ceiling > 0 {
		b.report.add(figure{Name: "ready: share of the ceiling by CPU time of all", Value: 100 * b.report.work / work, Unit: "%"})
	}
	b.report.add(figure{Name: "ready: CPU each", Value: cpuOf(b.operator.PID()).Seconds() * 1000 / float64(n), Unit: "ms", Decimals: 2})
	after, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	b.report.add(figure{Name: "ready: requests per credential", Text: after.since(before).each(float64(n))})
	b.report.add(figure{Name: "ready: token requests for each token", Value: float64(b.requested()) / float64(b.issued()), Decimals: 2})
	return nil
}

func (b *bench) reportReady(took float64) {
	rate := float64(b.options.n) / took
	b.sayf("ready: all within %.2f s of the start, %.0f tokens/s", took, rate)
	b.report.add(figure{Name: "ready: from the start of the operator", Value: took, Unit: "s", Decimals: 2})
	b.report.add(figure{Name: "ready: tokens per second", Value: rate, Unit: "/s", Peer: "9.9; tuned 93 (at 5,000: 50)"})
	if b.report.ceiling > 0 {
		b.report.add(figure{
			Name: "ready: share of the ceiling", Value: 100 * rate / b.report.ceiling, Unit: "%",
			Target: 50, Least: true, Peer: "1.3; tuned 13.5",
		})
	}
	b.report.add(b.memory("memory: when all are ready", "VmRSS"))
}

// memory is a figure of the operator's memory. The target grows with the number
// of credentials: 64 MiB for up to 1,000, 200 for 10,000.
func (b *bench) memory(name, field string) figure {
	const small, few, large, many = 64, 1000, 200, 10000
	target := small + max(0, float64(b.options.n-few))*(large-small)/(many-few)
	return figure{Name: name, Value: memoryOf(b.operator.PID(), field), Unit: "MiB", Target: target, Peer: "118; tuned 129 (at 5,000: 272)"}
}

// reportSplit says who but the operator used how much CPU time since an earlier
// reading, divided by the number of tokens, and answers the sum in ms.
func (b *bench) reportSplit(phase string, before machine, tokens float64) float64 {
	after := b.readMachine()
	each := func(d time.Duration) float64 { return d.Seconds() * 1000 / tokens }
	control, own := each(after.control-before.control), each(after.own-before.own)
	b.report.add(figure{
		Name: phase + ": CPU of API server and etcd, of the bench",
		Text: fmt.Sprintf("%.2f, %.2f ms for each token", control, own),
	})
	return control + own
}
