package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/eventually"
)

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPIDFileIsReadEachTime has one that comes late, and one that changes.
func TestPIDFileIsReadEachTime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	first, second := start(t, "", "a"), start(t, "", "b")
	r := run(t, Options{Signal: "HUP", PIDFile: file})
	r.Changed()
	eventually.Holds(t, "it waits", r.clock.HasWaiters)
	if r.log.count("level=WARN") != 0 || r.log.count("level=INFO") != 1 {
		t.Errorf("an app that has not started is worth a warning: %s", r.log.String())
	}
	for range 10 {
		failed := r.metrics.count("signal failed")
		r.clock.Step(30 * time.Second)
		eventually.Holds(t, "the next try", func() bool { return r.metrics.count("signal failed") > failed && r.clock.HasWaiters() })
	}
	if r.log.count("level=WARN") != 1 {
		t.Errorf("not one warning after some minutes: %s", r.log.String())
	}
	write(t, file, fmt.Sprintf(" %d \nmore", first.pid))
	r.clock.Step(30 * time.Second)
	eventually.Holds(t, "the first is signaled", func() bool { return first.got() == "ready hangup" })
	write(t, file, strconv.Itoa(second.pid))
	r.Changed()
	eventually.Holds(t, "the second is signaled", func() bool { return second.got() == "ready hangup" })
	eventually.Holds(t, "it counts", func() bool { return r.metrics.count(KindSignal) == 2 })
	if first.got() != "ready hangup" {
		t.Errorf("the first got %s", first.got())
	}
}

func TestPIDFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content string
		absent  bool
		says    string
	}{
		"empty":              {"", true, "is empty"},
		"an empty line":      {"\n12\n", true, "is empty"},
		"zero":               {"0\n", false, "must have the number of a process"},
		"a process group":    {"-12", false, "must have the number of a process"},
		"everybody":          {"-1", false, "must have the number of a process"},
		"one and more":       {"1 2", false, "must have the number of a process"},
		"a word":             {"nginx", false, "must have the number of a process"},
		"too large":          {"4294967297", false, "must have the number of a process"},
		"no process":         {"2147483647", true, "does not run"},
		"a long first line":  {strings.Repeat("1", 10_000), false, "must have the number of a process"},
		"no number in 4 KiB": {strings.Repeat(" ", 10_000) + "1", true, "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			write(t, file, test.content)
			found, err := fromFile(file, 999_999_999)
			if err == nil || errors.Is(err, errAbsent) != test.absent || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, %v", found, err)
			}
		})
	}
	folder := t.TempDir()
	if _, err := fromFile(folder, 1); err == nil || !strings.HasSuffix(err.Error(), " is no file") {
		t.Errorf("a folder: got %v", err)
	}
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fromFile(pipe, 1); err == nil || !strings.HasSuffix(err.Error(), " is no file") {
		t.Errorf("a pipe: got %v", err)
	}
	if _, err := fromFile(filepath.Join(folder, "none"), 1); !errors.Is(err, errAbsent) {
		t.Errorf("no file: got %v", err)
	}
	first := filepath.Join(folder, "first")
	write(t, first, "1\n")
	if found, err := fromFile(first, os.Getpid()); err != nil || len(found) != 1 || found[0].pid != 1 {
		t.Errorf("the first process: got %v, %v", found, err)
	}
}

func TestNobodyIsAbsent(t *testing.T) {
	t.Parallel()
	if _, err := byName("no-such-process-anywhere", 1); !errors.Is(err, errAbsent) || !strings.Contains(err.Error(), "shareProcessNamespace: true") {
		t.Errorf("got %v", err)
	}
}

// TestTheDeadAreAbsent has one whose parent has not noticed yet.
func TestTheDeadAreAbsent(t *testing.T) {
	t.Parallel()
	p := start(t, "", "z")
	if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, "it is gone", func() bool {
		_, err := readProcess(p.pid)
		return errors.Is(err, errAbsent)
	})
}

const statTail = " S 1 2 2 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 6651936 3133440 390"

func TestParseStat(t *testing.T) {
	t.Parallel()
	for line, name := range map[string]string{
		"12 (nginx)" + statTail:          "nginx",
		"12 (a b)" + statTail:            "a b",
		"12 (x) R 1 (y)" + statTail:      "x) R 1 (y",
		"12 ()" + statTail:               "",
		"12 (((" + ")" + statTail + "\n": "((",
	} {
		p, state, ok := parseStat(line)
		if !ok || p.pid != 12 || p.name != name || state != "S" || p.started != 66519360*time.Millisecond {
			t.Errorf("%q: got %+v %s %t", line, p, state, ok)
		}
	}
	for _, line := range []string{"", "12", "12 (a", "12 (a) S 1", "x (a)" + statTail, "0 (a)" + statTail, "12 (a)" + strings.Replace(statTail, "6651936", "-1", 1)} {
		if _, _, ok := parseStat(line); ok {
			t.Errorf("%q was read", line)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("12 (nginx)" + statTail)
	f.Add("12 (x) R 1 (y)" + statTail)
	f.Fuzz(func(t *testing.T, line string) {
		p, _, ok := parseStat(line)
		if ok && (p.pid <= 0 || p.started < 0 || !strings.Contains(line, "("+p.name+")")) {
			t.Errorf("got %+v", p)
		}
	})
}
