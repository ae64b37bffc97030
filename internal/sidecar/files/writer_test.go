package files

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
)

var start = time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)

func newWriter(directory string) *Writer {
	return &Writer{
		Dir: directory, Mode: 0o644, Group: -1,
		Clock: testclock.NewFakeClock(start), Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
}

// setOf makes a set of keys and values in turn.
func setOf(t *testing.T, pairs ...string) *sidecar.Set {
	t.Helper()
	data := map[string][]byte{}
	for i := 0; i < len(pairs); i += 2 {
		data[pairs[i]] = []byte(pairs[i+1])
	}
	set, ok := sidecar.Keys{Token: "access_token"}.Set(data, lifetime.Token{})
	if !ok {
		t.Fatal("no set")
	}
	return set
}

// mustWrite writes a set, and wants to hear whether it changed anything.
func mustWrite(t *testing.T, w *Writer, set *sidecar.Set, want bool) {
	t.Helper()
	if changed, err := w.Write(set); err != nil || changed != want {
		t.Fatalf("changed is %t, the error is %v; want %t", changed, err, want)
	}
}

// visible reads what a reader finds who knows nothing of the layout.
func visible(t *testing.T, directory string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "..") {
			continue
		}
		value, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[entry.Name()] = string(value)
	}
	return found
}

// hidden are the names that begin with two dots.
func hidden(t *testing.T, directory string) (generations, others []string) {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if _, ours := parseGeneration(entry.Name()); ours {
			generations = append(generations, entry.Name())
		} else if strings.HasPrefix(entry.Name(), "..") {
			others = append(others, entry.Name())
		}
	}
	return generations, others
}

func wantVisible(t *testing.T, directory string, pairs ...string) {
	t.Helper()
	want := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = pairs[i+1]
	}
	if got := visible(t, directory); !maps.Equal(got, want) {
		t.Errorf("readers see %v, want %v", got, want)
	}
}

// wantClean wants no more than ..data, its generation, and the one before.
func wantClean(t *testing.T, directory string, want int) {
	t.Helper()
	generations, others := hidden(t, directory)
	if len(generations) != want || !slices.Equal(others, []string{"..data"}) {
		t.Errorf("there are the generations %q and %q beside, want %d", generations, others, want)
	}
}

func target(t *testing.T, directory string) string {
	t.Helper()
	target, err := os.Readlink(filepath.Join(directory, "..data"))
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestTheDirectoryHoldsTheNewestSet(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	w := newWriter(directory)
	mustWrite(t, w, setOf(t, "access_token", "1", "token_type", "Bearer"), true)
	wantVisible(t, directory, "access_token", "1", "token_type", "Bearer")
	wantClean(t, directory, 1)

	first := target(t, directory)
	mustWrite(t, w, setOf(t, "access_token", "2", "expires_at", "never"), true)
	wantVisible(t, directory, "access_token", "2", "expires_at", "never")
	wantClean(t, directory, 2)
	if old, err := os.ReadFile(filepath.Join(directory, first, "access_token")); err != nil || string(old) != "1" {
		t.Errorf("who has resolved ..data finds %q, %v", old, err)
	}

	mustWrite(t, w, setOf(t, "access_token", "3"), true)
	wantVisible(t, directory, "access_token", "3")
	wantClean(t, directory, 2)
	if _, err := os.Stat(filepath.Join(directory, first)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the first generation: %v", err)
	}
}

func TestARestartWritesNothing(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	set := setOf(t, "access_token", "1", "empty", "")
	mustWrite(t, newWriter(directory), set, true)
	before := target(t, directory)
	mustWrite(t, newWriter(directory), set, false)
	if after := target(t, directory); after != before {
		t.Errorf("swapped from %s to %s", before, after)
	}

	for name, spoil := range map[string]func(string) error{
		"a file more":      func(d string) error { return os.WriteFile(filepath.Join(d, "more"), nil, 0o600) },
		"a file less":      func(d string) error { return os.Remove(filepath.Join(d, "empty")) },
		"another value":    func(d string) error { return os.WriteFile(filepath.Join(d, "access_token"), []byte("2"), 0o600) },
		"a longer value":   func(d string) error { return os.WriteFile(filepath.Join(d, "access_token"), []byte("11"), 0o600) },
		"nothing is there": os.RemoveAll,
		"a link": func(d string) error {
			return errors.Join(os.Remove(filepath.Join(d, "empty")), os.Symlink("access_token", filepath.Join(d, "empty")))
		},
		"what waits for a writer": func(d string) error {
			return errors.Join(os.Remove(filepath.Join(d, "empty")), syscall.Mkfifo(filepath.Join(d, "empty"), 0o600))
		},
	} {
		if err := spoil(filepath.Join(directory, target(t, directory))); err != nil {
			t.Fatal(err)
		}
		before := target(t, directory)
		mustWrite(t, newWriter(directory), set, true)
		if target(t, directory) == before {
			t.Errorf("%s: no swap", name)
		}
		wantVisible(t, directory, "access_token", "1", "empty", "")
	}
}

func TestWhatIsMissingIsMended(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	set := setOf(t, "access_token", "1", "b", "2")
	mustWrite(t, newWriter(directory), set, true)
	before := target(t, directory)
	if err := os.Remove(filepath.Join(directory, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..data/gone", filepath.Join(directory, "gone")); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, newWriter(directory), set, true)
	wantVisible(t, directory, "access_token", "1", "b", "2")
	if target(t, directory) != before {
		t.Error("a link more is no reason for a swap")
	}
}

func TestModeAndGroup(t *testing.T) {
	// The umask is the whole process's.
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for _, c := range []struct{ mode, file, directory fs.FileMode }{
		{0o644, 0o644, 0o755}, {0o640, 0o640, 0o750}, {0o600, 0o600, 0o700}, {0o444, 0o444, 0o755}, {0o660, 0o660, 0o750},
	} {
		directory := t.TempDir()
		w := newWriter(directory)
		set := setOf(t, "access_token", "1")
		check := func(when string) {
			t.Helper()
			generation := filepath.Join(directory, target(t, directory))
			for name, want := range map[string]fs.FileMode{generation: c.directory, filepath.Join(generation, "access_token"): c.file} {
				info, err := os.Stat(name)
				if err != nil || info.Mode().Perm() != want {
					t.Errorf("%s, %#o: %s has the mode %v, %v", when, c.mode, name, info.Mode(), err)
				}
				if group := int(info.Sys().(*syscall.Stat_t).Gid); w.Group >= 0 && group != w.Group {
					t.Errorf("%s, %#o: %s has the group %d, want %d", when, c.mode, name, group, w.Group)
				}
			}
		}
		w.Mode = c.mode
		mustWrite(t, w, set, true)
		check("at first")

		generation := filepath.Join(directory, target(t, directory))
		if err := errors.Join(os.Chmod(filepath.Join(generation, "access_token"), 0o404), os.Chmod(generation, 0o711)); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 {
			w.Group = 12345
		}
		mustWrite(t, w, set, false)
		check("repaired")
		if filepath.Join(directory, target(t, directory)) != generation {
			t.Error("a mode is no reason for a swap")
		}
		mustWrite(t, w, setOf(t, "access_token", "2"), true)
		check("swapped")
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	t.Parallel()
	elsewhere := filepath.Join(t.TempDir(), "precious")
	for name, put := range map[string]func(path string) error{
		"a file":         func(path string) error { return os.WriteFile(path, []byte("theirs"), 0o600) },
		"a directory":    func(path string) error { return os.Mkdir(path, 0o700) },
		"another link":   func(path string) error { return os.Symlink("theirs", path) },
		"a link outside": func(path string) error { return os.Symlink(elsewhere, path) },
		"a link upward":  func(path string) error { return os.Symlink("../../x", path) },
	} {
		for _, key := range []string{"access_token", "..data"} {
			t.Run(name+" at "+key, func(t *testing.T) {
				t.Parallel()
				directory := t.TempDir()
				if err := put(filepath.Join(directory, key)); err != nil {
					t.Fatal(err)
				}
				before, _ := os.Lstat(filepath.Join(directory, key))
				changed, err := newWriter(directory).Write(setOf(t, "access_token", "1", "b", "2"))
				if changed || err == nil || !strings.Contains(err.Error(), key+" is there and is no link of tokensync") {
					t.Errorf("changed is %t, the error is %v", changed, err)
				}
				after, err := os.Lstat(filepath.Join(directory, key))
				if err != nil || !os.SameFile(before, after) || before.ModTime() != after.ModTime() {
					t.Errorf("%s is now %v, %v", key, after, err)
				}
				if entries, err := os.ReadDir(directory); err != nil || len(entries) != 1 {
					t.Errorf("there are %v, %v", entries, err)
				}
			})
		}
	}
}

func TestNoLinkLeadsOut(t *testing.T) {
	t.Parallel()
	directory, elsewhere := t.TempDir(), t.TempDir()
	precious := filepath.Join(elsewhere, "precious")
	if err := os.WriteFile(precious, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWriter(directory)
	mustWrite(t, w, setOf(t, "access_token", "1"), true)
	mustWrite(t, w, setOf(t, "access_token", "2"), true)
	// The application replaces both generations, and plants what the next swap makes.
	generations, _ := hidden(t, directory)
	for _, name := range append(generations, "..data_tmp", nth(7).String()) {
		path := filepath.Join(directory, name)
		if err := errors.Join(os.RemoveAll(path), os.Symlink(elsewhere, path)); err != nil {
			t.Fatal(err)
		}
	}
	for _, value := range []string{"2", "3", "4"} {
		if _, err := w.Write(setOf(t, "access_token", value)); err != nil {
			t.Fatal(err)
		}
		wantVisible(t, directory, "access_token", value)
	}
	wantClean(t, directory, 2)
	entries, err := os.ReadDir(elsewhere)
	if value, _ := os.ReadFile(precious); err != nil || len(entries) != 1 || string(value) != "theirs" {
		t.Errorf("elsewhere there are %v, %v", entries, err)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Writer)
		key    string
		want   string
	}{
		"a key that leads out":  {key: "../x", want: `"../x" cannot be the name of a file`},
		"a key with two dots":   {key: "..x", want: `"..x" cannot be the name of a file`},
		"more than permissions": {change: func(w *Writer) { w.Mode = fs.ModeSetuid | 0o644 }, want: "the mode"},
		"nobody may read":       {change: func(w *Writer) { w.Mode = 0o044 }, want: "the mode 044 will not do"},
		"no directory":          {change: func(w *Writer) { w.Dir += "/no" }, want: "mount a volume at it"},
		"no names":              {change: func(w *Writer) { w.Random = strings.NewReader("") }, want: "draw a name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWriter(t.TempDir())
			if c.change != nil {
				c.change(w)
			}
			key := c.key
			if key == "" {
				key = "access_token"
			}
			changed, err := w.Write(setOf(t, key, "secret value"))
			if changed || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret value") {
				t.Errorf("changed is %t, the error is %v", changed, err)
			}
		})
	}
}

func TestAFailureAtAnyStepLeavesTheSetWhole(t *testing.T) {
	t.Parallel()
	for at := range 20 {
		directory := t.TempDir()
		w := newWriter(directory)
		mustWrite(t, w, setOf(t, "a", "1", "b", "1"), true)
		mustWrite(t, w, setOf(t, "a", "2", "b", "2"), true)
		count, swapped, unlinked, failed := 0, false, false, step{}
		w.before = func(s step) error {
			if count++; count > at {
				failed = s
				return &fs.PathError{Op: "write", Path: "secret path", Err: syscall.ENOSPC}
			}
			swapped, unlinked = swapped || s.do == swap, unlinked || s.do == unlink
			return nil
		}
		changed, err := w.Write(setOf(t, "b", "3", "c", "3"))
		w.before = nil
		if failed == (step{}) {
			if err != nil || at < 10 {
				t.Errorf("after %d steps: %v", count, err)
			}
			return
		}
		if changed != swapped || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "raise the sizeLimit") ||
			strings.Contains(err.Error(), "secret path") {
			t.Errorf("%s: changed is %t, the error is %v", failed, changed, err)
		}
		if !swapped {
			wantVisible(t, directory, "a", "2", "b", "2")
			wantClean(t, directory, 2)
		}
		mustWrite(t, w, setOf(t, "b", "3", "c", "3"), !unlinked)
		wantVisible(t, directory, "b", "3", "c", "3")
		wantClean(t, directory, 2)
	}
	t.Error("there is no end of steps")
}
