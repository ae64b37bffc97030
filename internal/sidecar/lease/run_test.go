package lease

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
)

// elector is one that goes through the network of a server.
func elector(server *server, name string) Elector {
	return Elector{
		Client: server.client(), Name: "lease", Identity: name, Times: DefaultTimes(),
		Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler),
	}
}

// A holder that cannot renew stops ten seconds after it sent the last renewal, and another
// begins fifteen seconds after it saw that.
func TestRunHandsOverWhatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reachable, cut := newServer(), newServer()
		// Answers take a second, in which the others may already count.
		cut.weather = func() (time.Duration, time.Duration, bool, bool) { return 0, time.Second, false, false }
		var began, stopped, taken time.Time
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			_ = Run(ctx, elector(cut, "first"), func(ctx context.Context) {
				began = time.Now()
				<-ctx.Done()
				stopped = time.Now()
			})
		})
		time.Sleep(3 * time.Second)
		// The second sees the same Lease by a network of its own.
		reachable.copy(cut)
		cut.turn(outage)
		seen := time.Now()
		group.Go(func() {
			_ = Run(ctx, elector(reachable, "second"), func(ctx context.Context) {
				taken = time.Now()
				<-ctx.Done()
			})
		})
		time.Sleep(time.Minute)
		cancel()
		group.Wait()
		if held := stopped.Sub(began); held != 9*time.Second {
			t.Errorf("held for %v", held)
		}
		if waited := taken.Sub(seen); waited < 15*time.Second || waited > 18*time.Second {
			t.Errorf("waited for %v", waited)
		}
	})
}

func TestRunRenewsAndGivesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		ending := false
		group.Go(func() {
			if err := Run(ctx, elector(server, "first"), func(ctx context.Context) {
				<-ctx.Done()
				time.Sleep(time.Minute) // much longer than the Lease lasts
				if server.holder() != "first" {
					t.Error("the Lease was let go while work was ending")
				}
				ending = true
			}); err != nil {
				t.Error(err)
			}
			if !ending {
				t.Error("Run did not wait for work")
			}
		})
		time.Sleep(time.Hour)
		if writes := server.written(); writes < 1700 || writes > 1800 {
			t.Errorf("%d writes in an hour", writes)
		}
		cancel()
		group.Wait()
		if holder := server.holder(); holder != "" {
			t.Errorf("it is still held by %q", holder)
		}
	})
}

func TestRunEndsWithWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		calls := 0
		if err := Run(t.Context(), elector(server, "first"), func(context.Context) { calls++ }); err != nil {
			t.Error(err)
		}
		if calls != 1 || server.holder() != "" {
			t.Errorf("%d calls, held by %q", calls, server.holder())
		}
	})
}

// What somebody else has put into the Lease stays there.
func TestRunKeepsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		end := func(context.Context) {}
		if err := Run(t.Context(), elector(server, "first"), end); err != nil {
			t.Fatal(err)
		}
		server.leases["lease"].Labels = map[string]string{"team": "a"}
		if err := Run(t.Context(), elector(server, "second"), end); err != nil {
			t.Fatal(err)
		}
		lease := server.leases["lease"]
		if lease.Labels["team"] != "a" || *lease.Spec.LeaseTransitions != 1 {
			t.Errorf("got %v", lease)
		}
	})
}

// A loser whose work takes long to end does not take the Lease again before that.
func TestRunWaitsForWorkThatLostTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		calm := server.weather
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		var calls atomic.Int32
		working := false
		group.Go(func() {
			_ = Run(ctx, elector(server, "first"), func(ctx context.Context) {
				if working {
					t.Error("work began before it had ended")
				}
				calls.Add(1)
				working = true
				<-ctx.Done()
				time.Sleep(time.Minute)
				working = false
			})
		})
		time.Sleep(5 * time.Second)
		server.turn(outage)
		time.Sleep(20 * time.Second)
		server.turn(calm)
		time.Sleep(30 * time.Second)
		if got := calls.Load(); got != 1 {
			t.Errorf("%d calls while the first was ending", got)
		}
		time.Sleep(30 * time.Second)
		if got := calls.Load(); got != 2 {
			t.Errorf("%d calls", got)
		}
		cancel()
		group.Wait()
	})
}
