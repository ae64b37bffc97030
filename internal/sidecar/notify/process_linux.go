package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// forever is later than every start of a process.
	forever time.Duration = math.MaxInt64
	// tick is the unit of instants in /proc, on all architectures.
	tick = 10 * time.Millisecond
	// maxPIDFile is more than what is read of a file with one number.
	maxPIDFile = 4 << 10
)

// process is one that runs.
type process struct {
	identity

	// name is the kernel's, cut off after 15 bytes, see proc_pid_comm(5). It changes when
	// the process executes another program.
	name string
}

// identity tells a process from all others, those that had its number before among them.
type identity struct {
	pid int
	// started is the time from the start of the kernel to that of the process.
	started time.Duration
}

// byName finds all processes with a name, but for the sidecar's own.
func byName(name string, own int) ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for processes: %w", err)
	}
	var found []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == own {
			continue
		}
		// Whichever ends meanwhile is none of them.
		if p, err := readProcess(pid); err == nil && (p.name == name || firstArgument(pid) == name) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no process is called %s: it may not have started, or the pod lacks shareProcessNamespace: true (%w)",
			name, errAbsent)
	}
	return found, nil
}

// firstArgument is what a process was started as, without folders, and empty where that
// cannot be told.
func firstArgument(pid int) string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(line) == 0 {
		return ""
	}
	first, _, _ := bytes.Cut(line, []byte{0})
	return filepath.Base(string(first))
}

// fromFile reads which process is meant.
func fromFile(path string, own int) ([]process, error) {
	line, err := firstLine(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the file %s of --notify-pid-file does not exist yet (%w)", path, errAbsent)
	} else if err != nil {
		return nil, fmt.Errorf("read the file of --notify-pid-file: %w", err)
	}
	if line == "" {
		return nil, fmt.Errorf("the file %s of --notify-pid-file is empty (%w)", path, errAbsent)
	}
	pid, err := strconv.ParseInt(line, 10, 32)
	if err != nil || pid <= 0 {
		return nil, fmt.Errorf("the file %s of --notify-pid-file must have the number of a process in its first line", path)
	}
	if int(pid) == own {
		return nil, fmt.Errorf("the file %s names process %d, which is the sidecar itself: the pod lacks shareProcessNamespace: true", path, pid)
	}
	p, err := readProcess(int(pid))
	if err != nil {
		return nil, fmt.Errorf("the file %s names process %d, which does not run: the pod may lack shareProcessNamespace: true (%w)",
			path, pid, errAbsent)
	}
	return []process{p}, nil
}

// firstLine reads a file without waiting for anybody who writes it, as that of a pipe
// would.
func firstLine(path string) (string, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // The path is a setting.
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // It was only read.
	if info, err := file.Stat(); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no file", path)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxPIDFile))
	line, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimSpace(line), err
}

// readProcess reads what the kernel knows of a process. One that has ended and waits for
// its parent to notice is none any more.
func readProcess(pid int) (process, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	p, state, ok := parseStat(string(line))
	if !ok || state == "Z" || state == "X" {
		return process{}, errAbsent
	}
	return p, nil
}

// parseStat reads a line of /proc/PID/stat, see proc_pid_stat(5). The name, which the
// process chooses, may hold anything, so the last parenthesis ends it.
func parseStat(line string) (p process, state string, ok bool) {
	const fieldState, fieldStarted = 0, 19
	number, rest, found := strings.Cut(line, " (")
	end := strings.LastIndex(rest, ") ")
	if !found || end < 0 {
		return process{}, "", false
	}
	fields := strings.Fields(rest[end+2:])
	if len(fields) <= fieldStarted {
		return process{}, "", false
	}
	pid, err := strconv.Atoi(number)
	ticks, startErr := strconv.ParseInt(fields[fieldStarted], 10, 64)
	if err != nil || startErr != nil || pid <= 0 || ticks < 0 || ticks > int64(forever/tick) {
		return process{}, "", false
	}
	p = process{name: rest[:end], identity: identity{pid: pid, started: time.Duration(ticks) * tick}}
	return p, fields[fieldState], true
}
