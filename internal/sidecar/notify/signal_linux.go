package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// signals are those of signalNames.
var signals = map[string]syscall.Signal{
	"HUP":   syscall.SIGHUP,
	"INT":   syscall.SIGINT,
	"QUIT":  syscall.SIGQUIT,
	"USR1":  syscall.SIGUSR1,
	"USR2":  syscall.SIGUSR2,
	"TERM":  syscall.SIGTERM,
	"CONT":  syscall.SIGCONT,
	"WINCH": syscall.SIGWINCH,
	"ALRM":  syscall.SIGALRM,
}

// signaler sends a signal to processes.
type signaler struct {
	signal syscall.Signal
	name   string
	// find answers the processes that are meant. The error wraps errAbsent where there is
	// none.
	find func() ([]process, error)
	// sinceBoot is the clock by which the kernel notes when processes start.
	sinceBoot func() (time.Duration, error)
}

func newSignaler(o Options) (func() attempt, error) {
	number, ok := signals[o.Signal]
	if !ok {
		return nil, fmt.Errorf("%q is no signal that can be sent", o.Signal)
	}
	s := &signaler{signal: number, name: o.Signal, sinceBoot: sinceBoot}
	own := os.Getpid()
	if o.PIDFile != "" {
		s.find = func() ([]process, error) { return fromFile(o.PIDFile, own) }
	} else {
		s.find = func() ([]process, error) { return byName(o.Process, own) }
	}
	return s.begin, nil
}

// begin makes the attempt of a change that has just been. It signals each process once,
// however often it is called.
func (s *signaler) begin() attempt {
	changed, err := s.sinceBoot()
	if self, selfErr := readProcess(os.Getpid()); err != nil || selfErr != nil || self.started > changed {
		changed = forever // The clocks tell nothing, and no process counts as newer than the change.
	}
	var done []identity
	return func(context.Context) error {
		found, err := s.find()
		if err != nil {
			return err
		}
		var failed []error
		for _, p := range found {
			if p.started > changed || slices.Contains(done, p.identity) {
				continue
			}
			if err := s.send(p); err != nil {
				failed = append(failed, err)
				continue
			}
			done = append(done, p.identity)
		}
		return errors.Join(failed...)
	}
}

// send signals a process, and no other that got its number since it was found: the
// handle is of whoever has the number now, and that it is still the same is seen after it.
func (s *signaler) send(p process) error {
	handle, err := os.FindProcess(p.pid)
	if err != nil {
		return fmt.Errorf("find process %d: %w", p.pid, err)
	}
	defer func() { _ = handle.Release() }() // It fails for nobody.
	if now, err := readProcess(p.pid); err != nil || now.identity != p.identity {
		return ended(p)
	}
	return s.explain(handle.Signal(s.signal), p)
}

// explain says what to do about a signal that was not sent.
func (s *signaler) explain(err error, p process) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrProcessDone), errors.Is(err, syscall.ESRCH):
		return ended(p)
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("process %d (%s) may not be signaled: give the sidecar the securityContext.runAsUser of the app", p.pid, p.name)
	default:
		return fmt.Errorf("send %s to process %d (%s): %w", s.name, p.pid, p.name, err)
	}
}

func ended(p process) error { return fmt.Errorf("process %d has just ended (%w)", p.pid, errAbsent) }

// sinceBoot is how long the kernel has been up, sleep included.
func sinceBoot() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, err
	}
	return time.Duration(now.Nano()), nil
}
