package notify

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/eventually"
)

// child is the app: it prints the signals that it gets, until its input ends.
func child() {
	received := make(chan os.Signal, 16)
	signal.Notify(received, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM)
	fmt.Println("ready") //nolint:forbidigo // This is how a child speaks to its test.
	go func() {
		for s := range received {
			fmt.Println(s) //nolint:forbidigo // This is how a child speaks to its test.
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// peer is a process that runs child.
type peer struct {
	pid int

	mu    sync.Mutex
	lines []string
}

func (p *peer) got() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, " ")
}

// start starts a child that calls itself by a name. path is the program, empty for that
// of the test.
func start(t *testing.T, path, name string) *peer {
	t.Helper()
	if path == "" {
		path = os.Args[0]
	}
	command := exec.CommandContext(t.Context(), path)
	command.Args, command.Env = []string{name}, append(os.Environ(), childVariable+"=1")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p, read := &peer{pid: command.Process.Pid}, make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			p.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = input.Close()
		<-read
		_ = command.Wait()
	})
	eventually.Holds(t, "the child is ready", func() bool { return p.got() == "ready" })
	return p
}

// unique is a name that no other process has.
func unique(t *testing.T, kind string) string {
	t.Helper()
	return fmt.Sprintf("tn-%s-%d", kind, os.Getpid())
}

func TestSignalByName(t *testing.T) {
	t.Parallel()
	name := unique(t, "args")
	first, second, other := start(t, "", "/opt/bin/"+name), start(t, "", name), start(t, "", name+"-other")
	link := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(os.Args[0], link); err != nil {
		t.Fatal(err)
	}
	byComm := start(t, link, "something")
	r := run(t, Options{Signal: "USR1", Process: name})
	r.Changed()
	eventually.Holds(t, "three are signaled", func() bool {
		return strings.Contains(first.got(), "user defined signal 1") && strings.Contains(second.got(), "user defined signal 1") &&
			strings.Contains(byComm.got(), "user defined signal 1")
	})
	eventually.Holds(t, "it counts", func() bool { return r.metrics.count(KindSignal) == 1 })
	r.Changed()
	eventually.Holds(t, "it counts again", func() bool { return r.metrics.count(KindSignal) == 2 })
	eventually.Holds(t, "once for each change", func() bool {
		return first.got() == "ready user defined signal 1 user defined signal 1"
	})
	if other.got() != "ready" {
		t.Errorf("another process got %s", other.got())
	}
}

func TestNeverItself(t *testing.T) {
	t.Parallel()
	own, err := readProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{own.name, filepath.Base(os.Args[0])} {
		found, _ := byName(name, own.pid)
		for _, p := range found {
			if p.pid == own.pid {
				t.Errorf("%s is the process itself", name)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "pid")
	write(t, file, strconv.Itoa(own.pid)+"\n")
	if _, err := fromFile(file, own.pid); err == nil || errors.Is(err, errAbsent) || !strings.Contains(err.Error(), "shareProcessNamespace: true") {
		t.Errorf("got %v", err)
	}
}

// TestNoSignalForWhoCameLater: it has read the new files, and may have no handler yet.
func TestNoSignalForWhoCameLater(t *testing.T) {
	t.Parallel()
	name := unique(t, "late")
	p := start(t, "", name)
	found, err := byName(name, os.Getpid())
	if err != nil || len(found) != 1 {
		t.Fatalf("got %v, %v", found, err)
	}
	own, err := readProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	changed, clockErr := found[0].started-tick/2, error(nil)
	s := &signaler{
		signal: syscall.SIGHUP, name: "HUP",
		find:      func() ([]process, error) { return byName(name, own.pid) },
		sinceBoot: func() (time.Duration, error) { return changed, clockErr },
	}
	if err := s.begin()(t.Context()); err != nil {
		t.Fatal(err)
	}
	changed = found[0].started
	if err := s.begin()(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, "who was there is signaled", func() bool { return p.got() == "ready hangup" })
	// A clock that tells nothing is no reason to keep quiet.
	changed, clockErr = 0, errors.New("no clock")
	if err := s.begin()(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, "without a clock", func() bool { return p.got() == "ready hangup hangup" })
	changed, clockErr = own.started-1, nil
	if err := s.begin()(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually.Holds(t, "with a clock that disagrees", func() bool { return p.got() == "ready hangup hangup hangup" })
}

// TestTheClockIsThatOfProcesses holds what the comparison above rests on.
func TestTheClockIsThatOfProcesses(t *testing.T) {
	t.Parallel()
	before, err := sinceBoot()
	if err != nil {
		t.Fatal(err)
	}
	p, err := readProcess(start(t, "", "x").pid)
	if err != nil {
		t.Fatal(err)
	}
	after, err := sinceBoot()
	if err != nil || p.started < before-tick || p.started > after {
		t.Errorf("started at %s, between %s and %s; %v", p.started, before, after, err)
	}
}

// TestWhoWasSignaledIsLeftAlone while another one is tried again.
func TestWhoWasSignaledIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := start(t, "", "y")
	there, err := readProcess(p.pid)
	if err != nil {
		t.Fatal(err)
	}
	// The number of the process, and another start: it was taken over by a stranger.
	stranger := there
	stranger.started -= tick
	s := &signaler{signal: syscall.SIGHUP, name: "HUP", sinceBoot: sinceBoot, find: func() ([]process, error) {
		return []process{stranger, there}, nil
	}}
	try := s.begin()
	for range 3 {
		if err := try(t.Context()); !errors.Is(err, errAbsent) {
			t.Fatalf("got %v", err)
		}
	}
	eventually.Holds(t, "it is signaled", func() bool { return p.got() == "ready hangup" })
	time.Sleep(50 * time.Millisecond)
	if p.got() != "ready hangup" {
		t.Errorf("got %s", p.got())
	}
}

func TestSignalAndHookAreIndependent(t *testing.T) {
	t.Parallel()
	name := unique(t, "both")
	p := start(t, "", name)
	a := &app{status: http.StatusOK, hold: make(chan struct{})}
	r := run(t, Options{Signal: "TERM", Process: name, URL: a.start(t)})
	r.Changed()
	eventually.Holds(t, "the hook is asked", func() bool { return a.asked() == 1 })
	eventually.Holds(t, "the signal is there", func() bool { return p.got() == "ready terminated" })
	r.Changed()
	eventually.Holds(t, "the next signal is there", func() bool { return p.got() == "ready terminated terminated" })
}

func TestExplain(t *testing.T) {
	t.Parallel()
	s, p := &signaler{name: "HUP"}, process{identity: identity{pid: 7}, name: "app"}
	for _, err := range []error{os.ErrProcessDone, syscall.ESRCH} {
		if got := s.explain(err, p); !errors.Is(got, errAbsent) {
			t.Errorf("%v: got %v", err, got)
		}
	}
	want := "process 7 (app) may not be signaled: give the sidecar the securityContext.runAsUser of the app"
	if got := s.explain(os.NewSyscallError("kill", syscall.EPERM), p); got == nil || got.Error() != want {
		t.Errorf("got %v", got)
	}
}

func TestEverySignalHasANumber(t *testing.T) {
	t.Parallel()
	for _, name := range SignalNames() {
		if _, ok := signals[name]; !ok {
			t.Errorf("%s has none", name)
		}
	}
	if len(signals) != len(signalNames) {
		t.Error("there are more than names")
	}
	if _, err := New(Options{Signal: "KILL", Process: "x"}); err == nil {
		t.Error("no error")
	}
}
