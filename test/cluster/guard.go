package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollInterval is how often new processes are looked for while the control plane
// starts.
const pollInterval = 25 * time.Millisecond

// guardScript reads process ids until its input ends, which it does when this
// process is gone, be it by SIGKILL. Then it kills those that still are what they
// were, and removes the directory.
const guardScript = `
while read -r pid; do pids="$pids $pid"; done
for pid in $pids; do
	grep -qaF "$1" "/proc/$pid/cmdline" 2>/dev/null && kill -KILL "$pid"
done
sleep 0.2
rm -rf "$1"
`

// guard is a process that ends the control plane should this process die without
// doing so. The system's own means, a signal at the death of the parent, cannot be
// set on processes that envtest starts.
type guard struct {
	directory string
	command   *exec.Cmd
	input     io.WriteCloser
	known     map[int]bool
}

func newGuard(directory string) (*guard, error) {
	command := exec.Command("sh", "-c", guardScript, "tokensync-guard", directory)
	// In a group of its own: Ctrl-C in a terminal is not meant for it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the guard of the control plane: %w", err)
	}
	return &guard{directory: directory, command: command, input: input, known: map[int]bool{}}, nil
}

// follow tells the guard about every process until the start is over. Once it is
// canceled, every process is killed instead, so that the start fails soon.
func (g *guard) follow(started <-chan error, canceled <-chan struct{}) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	givenUp := false
	for {
		select {
		case err := <-started:
			if givenUp {
				return context.Canceled
			}
			return errors.Join(err, g.tell(children(g.directory)))
		case <-canceled:
			givenUp, canceled = true, nil
		case <-ticker.C:
		}
		processes := children(g.directory)
		if err := g.tell(processes); err != nil {
			return err
		}
		for _, pid := range processes {
			if givenUp {
				_ = syscall.Kill(pid, syscall.SIGKILL) // gone already, or ours
			}
		}
	}
}

// tell has the guard look after processes that it does not know yet.
func (g *guard) tell(processes map[string]int) error {
	for _, pid := range processes {
		if g.known[pid] {
			continue
		}
		if _, err := fmt.Fprintln(g.input, pid); err != nil {
			return fmt.Errorf("tell the guard of the control plane: %w", err)
		}
		g.known[pid] = true
	}
	return nil
}

// dismiss ends the guard, which then does nothing.
func (g *guard) dismiss() error {
	err := g.command.Process.Kill()
	_ = g.command.Wait() // it was killed; this closes the input, too
	return err
}

// children finds the processes, started by this one, that keep their files in a
// directory, by the name of their program.
func children(directory string) map[string]int {
	found := map[string]int{}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return found
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(content), directory+"/") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil || parent(pid) != os.Getpid() {
			continue
		}
		program, _, _ := strings.Cut(string(content), "\x00")
		found[filepath.Base(program)] = pid
	}
	return found
}

// parent is the id of a process's parent, zero where there is no such process.
func parent(pid int) int {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything: fields count from its end.
	_, rest, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	id, _ := strconv.Atoi(fields[1]) // zero is nobody's parent
	return id
}
