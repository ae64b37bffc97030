package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// quietTicks and quietFor say when a process that has worked is done: so few
	// ticks of CPU time in that long.
	quietTicks = 2
	quietFor   = 300 * time.Millisecond
	// idleAfter is how long it is looked for requests after a restart.
	idleAfter = 5 * time.Second
	// restartSpan is how long no token may fall due for a restart to be measured.
	restartSpan = 20 * time.Second
)

// measureRestart kills the operator while every token is good and none is due, and
// starts it again.
func (b *bench) measureRestart(ctx context.Context) error {
	span := min(restartSpan, b.options.lifetime/4)
	for time.Until(b.consumer.nextDue()) < span {
		b.sayf("restart: wait until nothing is due for %s", span)
		if err := b.awaitRound(ctx, b.consumer.fewestTokens()+1); err != nil {
			return err
		}
		if err := b.pause(ctx, time.Now().Add(settle)); err != nil {
			return err
		}
	}
	before, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	requested := b.requested()
	b.sayf("restart: SIGKILL, and start again")
	if err := b.operator.Kill(); err != nil {
		return err
	}
	began := time.Now()
	if err := b.startOperator(ctx); err != nil {
		return err
	}
	back, err := b.awaitQuiet(ctx)
	if err != nil {
		return err
	}
	cpu := cpuOf(b.operator.PID())
	if err := b.pause(ctx, time.Now().Add(idleAfter)); err != nil {
		return err
	}
	after, err := b.readRequests(ctx)
	if err != nil {
		return err
	}
	counted := after.since(before)
	took := back.Sub(began).Seconds()
	b.sayf("restart: back at work after %.2f s", took)
	b.report.add(figure{Name: "restart: back at work", Value: took, Unit: "s", Decimals: 2, Target: 3})
	b.report.add(figure{Name: "restart: CPU", Value: cpu.Seconds(), Unit: "s", Decimals: 2})
	b.report.add(figure{Name: "restart: token requests", Value: float64(b.requested() - requested), Exact: true, Peer: "282; at 5,000: 3,189"})
	b.report.add(figure{Name: "restart: writes", Value: counted.writes(), Exact: true})
	b.report.add(figure{Name: "restart: requests", Text: counted.each(1)})
	b.report.add(b.memory("memory: after a restart", "VmRSS"))
	return nil
}

// awaitQuiet waits until the operator has looked at every credential and has
// nothing more to do, and answers since when. Its CPU time tells, because asking
// it for metrics would give it something to do; they only confirm.
func (b *bench) awaitQuiet(ctx context.Context) (time.Time, error) {
	deadline := time.Now().Add(5 * time.Minute)
	last, since := cpuOf(b.operator.PID()), time.Now()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return since, ctx.Err()
		case <-ticker.C:
		}
		if used := cpuOf(b.operator.PID()); used-last > quietTicks*tick {
			last, since = used, time.Now()
		}
		if time.Since(since) < quietFor {
			continue
		}
		done, err := b.reconciledAll(ctx)
		if done || err != nil {
			return since, err
		}
		last, since = cpuOf(b.operator.PID()), time.Now()
	}
	return since, errors.New("the operator does not come to rest")
}

// reconciledAll tells whether the operator has looked at every credential since
// its start, and has none in its queue.
func (b *bench) reconciledAll(ctx context.Context) (bool, error) {
	text, err := b.operator.Metrics(ctx)
	if err != nil {
		return false, err
	}
	var reconciled, queued float64
	eachSeries([]byte(text), "controller_runtime_reconcile_total", func(_ map[string]string, value float64) { reconciled += value })
	eachSeries([]byte(text), "workqueue_depth", func(_ map[string]string, value float64) { queued += value })
	return int(reconciled) >= b.options.n && queued == 0, nil
}

// measureEnd tells how it was in the end, and how much else the machine had to do.
func (b *bench) measureEnd() {
	var operator time.Duration
	if b.operator != nil {
		within, outside := b.consumer.expiredSeconds(b.report.outage.from, b.report.outage.to, time.Now())
		b.report.add(figure{Name: "expired token-seconds outside the outage", Value: outside, Unit: "s", Decimals: 1, Exact: true})
		if b.options.runs("outage") {
			b.report.add(figure{Name: "expired token-seconds in the outage", Value: within, Unit: "s"})
		}
		b.report.add(b.memory("memory: at the end", "VmRSS"))
		b.report.add(b.memory("memory: at most", "VmHWM"))
		operator = cpuOf(b.operator.PID()) // a little more, before the restart
	}
	after := b.readMachine()
	known := after.own - b.machine.own + after.control - b.machine.control + operator + b.sidecarCPU
	others := (after.busy - b.machine.busy - known).Seconds() / (after.capable - b.machine.capable).Seconds()
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = nil
	}
	b.report.add(figure{
		Name: "machine: busy with other things",
		Text: fmt.Sprintf("%.0f %% of all CPU time; load %.14s", 100*max(0, others), load),
	})
}
