package files

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// told is what report hears.
type told struct {
	set     *sidecar.Set
	changed bool
	failed  bool
}

// running runs a writer in a bubble, and answers what it reports.
func running(t *testing.T, w *Writer, current *sidecar.Current) <-chan told {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan told, 100), make(chan struct{})
	w.Clock = clock.RealClock{}
	go func() {
		defer close(ended)
		w.Run(ctx, current, func(set *sidecar.Set, changed bool, err error) {
			heard <- told{set, changed, err != nil}
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return heard
}

func wantTold(t *testing.T, heard <-chan told, want ...told) {
	t.Helper()
	synctest.Wait()
	if len(heard) != len(want) {
		t.Fatalf("%d reports, want %d", len(heard), len(want))
	}
	for i := range want {
		if one := <-heard; one != want[i] {
			t.Errorf("report %d says changed %t, failed %t", i, one.changed, one.failed)
		}
	}
}

func TestRunWritesEachNewestSet(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		current := sidecar.NewCurrent()
		one, two := setOf(t, "a", "1"), setOf(t, "a", "2")
		mustWrite(t, newWriter(directory), one, true)
		heard := running(t, newWriter(directory), current)
		wantTold(t, heard)
		current.Offer(one)
		wantTold(t, heard, told{one, false, false}) // As after a restart: no reason to notify.
		current.Offer(two)
		wantTold(t, heard, told{two, true, false})
		wantVisible(t, directory, "a", "2")
	})
}

func TestRunTriesAgain(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "later")
	synctest.Test(t, func(t *testing.T) {
		current := sidecar.NewCurrent()
		w, logs := newWriter(directory), &bytes.Buffer{}
		w.Log = slog.New(slog.NewTextHandler(logs, nil))
		heard := running(t, w, current)
		one, two := setOf(t, "a", "secret value"), setOf(t, "a", "2")
		current.Offer(one)
		wantTold(t, heard, told{one, false, true})
		for _, delay := range []int{1, 2, 4, 8, 16, 30, 30} {
			time.Sleep(time.Duration(delay)*time.Second - time.Millisecond)
			wantTold(t, heard)
			time.Sleep(time.Millisecond)
			wantTold(t, heard, told{one, false, true})
		}
		if lines := strings.Count(logs.String(), "\n"); lines != 1 || strings.Contains(logs.String(), "secret value") {
			t.Errorf("the log is %s", logs)
		}
		current.Offer(two) // A newer one does not wait.
		wantTold(t, heard, told{two, false, true})
		if err := os.Mkdir(directory, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(firstDelay)
		wantTold(t, heard, told{two, true, false})
		time.Sleep(time.Hour)
		wantTold(t, heard)
	})
}

func TestRunTellsWhatAFailureHasLeftUntold(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		current := sidecar.NewCurrent()
		w, swapped := newWriter(directory), false
		w.before = func(s step) error {
			if s.do == persist && !swapped {
				swapped = true
				return os.ErrPermission
			}
			return nil
		}
		one := setOf(t, "a", "1")
		mustWrite(t, newWriter(directory), setOf(t, "a", "0"), true)
		heard := running(t, w, current)
		current.Offer(one)
		wantTold(t, heard, told{one, false, true})
		wantVisible(t, directory, "a", "1")
		time.Sleep(firstDelay)
		wantTold(t, heard, told{one, true, false})
	})
}
