package main

import (
	"context"
	"fmt"
	"time"
)

// settle lets what has just happened come to its end.
const settle = 2 * time.Second

// measureRefresh measures the quiet time before a round of refreshes, and the
// round.
func (b *bench) measureRefresh(ctx context.Context) error {
	if err := b.pause(ctx, time.Now().Add(settle)); err != nil {
		return err
	}
	if err := b.measureQuiet(ctx); err != nil {
		return err
	}
	before, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	round := b.consumer.fewestTokens() + 1
	issued, cpu, machine, began := b.issued(), cpuOf(b.operator.PID()), b.readMachine(), time.Now()
	b.sayf("refresh: wait for round %d, which begins in %.0f s", round, time.Until(b.consumer.nextDue()).Seconds())
	if err := b.awaitRound(ctx, round); err != nil {
		return err
	}
	if err := b.pause(ctx, time.Now().Add(settle)); err != nil {
		return err
	}
	used := cpuOf(b.operator.PID()) - cpu
	after, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	refreshes := float64(b.issued() - issued)
	counted := after.since(before)
	b.sayf("refresh: %.0f refreshes in %.0f s", refreshes, time.Since(began).Seconds())
	b.report.add(figure{Name: "refresh: reads each", Value: counted.reads() / refreshes, Decimals: 2, Target: 1, Peer: "4; tuned 0"})
	b.report.add(figure{Name: "refresh: writes each", Value: counted.writes() / refreshes, Decimals: 2, Target: 2, Peer: "3; tuned 3"})
	b.report.add(figure{Name: "refresh: requests each", Text: counted.each(refreshes)})
	b.report.add(figure{
		Name: "refresh: CPU each", Value: used.Seconds() * 1000 / refreshes, Unit: "ms", Decimals: 2,
		Target: 3, Peer: "7.2; tuned 5.2",
	})
	b.reportSplit("refresh", machine, refreshes)
	b.reportLateness(ctx)
	return nil
}

// measureQuiet counts what is asked for while nothing is due.
func (b *bench) measureQuiet(ctx context.Context) error {
	until := earlier(b.consumer.nextDue().Add(-settle), time.Now().Add(b.options.lifetime/4))
	if time.Until(until) < settle {
		return nil
	}
	before, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	cpu, began := cpuOf(b.operator.PID()), time.Now()
	b.sayf("refresh: nothing is due for %.0f s", time.Until(until).Seconds())
	if err := b.pause(ctx, until); err != nil {
		return err
	}
	after, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	counted := after.since(before)
	b.report.add(figure{Name: "between refreshes: requests", Value: counted.reads() + counted.writes(), Target: 0, Exact: true})
	b.report.add(figure{
		Name: "between refreshes: CPU", Unit: "% of a core", Decimals: 2,
		Value: 100 * (cpuOf(b.operator.PID()) - cpu).Seconds() / time.Since(began).Seconds(),
	})
	return nil
}

// awaitRound waits until every Secret has had so many tokens.
func (b *bench) awaitRound(ctx context.Context, round int) error {
	return b.await(ctx, 2*b.options.lifetime, func() bool {
		return b.consumer.hadTokens(round) == b.options.n
	}, func() string {
		return fmt.Sprintf("%d of %d refreshed", b.consumer.hadTokens(round), b.options.n)
	})
}

// reportLateness tells how late the refreshes were, from the operator's metric.
func (b *bench) reportLateness(ctx context.Context) {
	text, err := b.operator.Metrics(ctx)
	if err != nil {
		return
	}
	const metric = "tokensync_refresh_lateness_seconds"
	var total float64
	eachSeries([]byte(text), metric+"_count", func(_ map[string]string, value float64) { total = value })
	var bound string
	eachSeries([]byte(text), metric+"_bucket", func(labels map[string]string, value float64) {
		if bound == "" && value >= 0.99*total {
			bound = labels["le"]
		}
	})
	if total > 0 {
		b.report.add(figure{Name: "refresh: 99 % are written within", Text: bound + " s of being due"})
	}
}
