package mount

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/volume/volumetest"
	"github.com/tokensync/tokensync/test/output"
)

// maxFile is the most bytes of a file.
const maxFile = 1 << 20

// patience is how long a test waits for what comes in an instant.
const patience = 20 * time.Second

var keys = sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"}

// house runs a source.
type house struct {
	*testing.T

	volume  string
	clock   *testclock.FakeClock
	journal *output.Log
	current *sidecar.Current
	last    *sidecar.Set
}

func run(t *testing.T, volume string, change func(*Source)) *house {
	t.Helper()
	h := &house{
		T: t, volume: volume, clock: testclock.NewFakeClock(time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)),
		journal: &output.Log{}, current: sidecar.NewCurrent(),
	}
	source := &Source{Dir: volume, Keys: keys, Clock: h.clock, Log: slog.New(slog.NewTextHandler(h.journal, nil))}
	if change != nil {
		change(source)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, h.current) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("goes on after the end of the context")
		}
	})
	h.until("the clock is asked", h.clock.HasWaiters)
	return h
}

// until waits for something.
func (h *house) until(what string, is func() bool) {
	h.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("it never came that %s; the log is:\n%s", what, h.journal)
		}
	}
}

// want waits for a set that holds a token.
func (h *house) want(token string) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	for {
		set, err := h.current.Next(ctx, h.last)
		if err != nil {
			h.Fatalf("no set with %q: %v; the log is:\n%s", token, err, h.journal)
		}
		if h.last = set; set.Token.Reveal() == token {
			return
		}
	}
}

// logged waits for a message that comes once.
func (h *house) logged(message string) {
	h.Helper()
	h.until("the log says "+message, func() bool { return strings.Contains(h.journal.String(), message) })
	if count := strings.Count(h.journal.String(), message); count != 1 {
		h.Errorf("%d times %q in the log:\n%s", count, message, h.journal)
	}
}

// keeps wants the last set to be still there.
func (h *house) keeps() {
	h.Helper()
	if set := h.current.Set(); !set.Is(h.last) {
		h.Error("the last set did not stay")
	}
}

func TestFollowsTheKubelet(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	volumetest.Kubelet(t, volume, "1", "access_token", "one", "token_type", "DPoP", "expires_at", "2026-11-22T14:00:00Z")
	h := run(t, volume, nil)
	h.want("one")
	if h.last.Type != "DPoP" || h.last.Life.ExpiresAt.Hour() != 14 || len(h.last.Data) != 3 {
		t.Errorf("the set is %+v", h.last)
	}
	for _, version := range []string{"two", "three", "four"} {
		volumetest.Kubelet(t, volume, version, "access_token", version)
		h.want(version)
	}
	if text := h.journal.String(); text != "" {
		t.Errorf("the log is:\n%s", text)
	}
}

func TestFollowsAPlainDirectory(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	volumetest.Put(t, directory, "access_token", "one")
	h := run(t, directory, nil)
	h.want("one")
	volumetest.Put(t, directory, ".next", "two")
	if err := os.Rename(filepath.Join(directory, ".next"), filepath.Join(directory, "access_token")); err != nil {
		t.Fatal(err)
	}
	h.want("two")
}

func TestADirectoryThatComesLater(t *testing.T) {
	t.Parallel()
	volume := filepath.Join(t.TempDir(), "later")
	h := run(t, volume, nil)
	h.logged("is not there")
	h.clock.Step(pollEvery)
	if err := os.Mkdir(volume, 0o700); err != nil {
		t.Fatal(err)
	}
	h.until("it is empty", func() bool {
		h.clock.Step(pollEvery)
		return strings.Contains(h.journal.String(), "holds no files")
	})
	volumetest.Kubelet(t, volume, "1", "access_token", "one") // Now it is watched.
	h.want("one")
	h.logged("can be read again")
	h.logged("is not there")
}

func TestTheLastSetStays(t *testing.T) {
	t.Parallel()
	volume := filepath.Join(t.TempDir(), "volume")
	if err := os.Mkdir(volume, 0o700); err != nil {
		t.Fatal(err)
	}
	volumetest.Kubelet(t, volume, "1", "access_token", "one")
	var connected atomic.Bool
	h := run(t, volume, func(s *Source) { s.Connected = connected.Store })
	h.want("one")
	h.until("the source is up", connected.Load)
	volumetest.Kubelet(t, volume, "2")
	h.logged("holds no files")
	h.keeps()
	h.until("the source is down", func() bool { return !connected.Load() })
	volumetest.Kubelet(t, volume, "3", "access_token", strings.Repeat("x", maxFile+1))
	h.logged("has more than 1024 KiB")
	h.keeps()

	if err := os.RemoveAll(volume); err != nil {
		t.Fatal(err)
	}
	h.logged("is not there")
	h.keeps()
	if err := os.Mkdir(volume, 0o700); err != nil {
		t.Fatal(err)
	}
	volumetest.Kubelet(t, volume, "4", "access_token", "four")
	h.clock.Step(pollEvery)
	h.want("four")
	volumetest.Kubelet(t, volume, "5", "access_token", "five") // The new directory is watched.
	h.want("five")
}

func TestThePollFindsWhatTheWatchMisses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Source){
		"the watch is on another directory": nil,
		"there is no watch": func(s *Source) {
			s.newWatcher = func() (*fsnotify.Watcher, error) { return nil, syscall.EMFILE }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			volume, one, two := filepath.Join(base, "volume"), filepath.Join(base, "one"), filepath.Join(base, "two")
			if err := errors.Join(os.Mkdir(one, 0o700), os.Mkdir(two, 0o700), os.Symlink("one", volume)); err != nil {
				t.Fatal(err)
			}
			volumetest.Put(t, one, "access_token", "one")
			volumetest.Put(t, two, "access_token", "two")
			h := run(t, volume, change)
			h.want("one")
			next := filepath.Join(base, "next")
			if err := errors.Join(os.Symlink("two", next), os.Rename(next, volume)); err != nil {
				t.Fatal(err)
			}
			h.clock.Step(pollEvery - time.Millisecond)
			time.Sleep(20 * time.Millisecond) // Time for a mistake.
			h.keeps()
			h.clock.Step(time.Millisecond)
			h.want("two")
			if change != nil {
				h.logged("is not watched")
				return
			}
			volumetest.Put(t, two, "access_token", "three")
			h.want("three")
		})
	}
}

func TestAnUnreadableFile(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	volume := t.TempDir()
	volumetest.Put(t, volume, "access_token", "one", "other", "x")
	h := run(t, volume, nil)
	h.want("one")
	if err := os.Chmod(filepath.Join(volume, "other"), 0); err != nil {
		t.Fatal(err)
	}
	h.logged("may not be read")
	h.keeps()
	volumetest.Put(t, volume, "access_token", "two")
	if err := os.Chmod(filepath.Join(volume, "other"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.want("two")
}
