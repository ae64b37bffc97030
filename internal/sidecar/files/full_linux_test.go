package files

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

var _ = register("volume", writeToAVolume)

func register(name string, program func([]string) int) bool {
	children[name] = program
	return true
}

func TestAVolumeThatIsFullOrReadOnly(t *testing.T) {
	t.Parallel()
	command := child(t, "volume", t.TempDir())
	command.Stdout = os.Stderr
	// A namespace of its own, in which it may mount what it likes.
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	if err := command.Start(); err != nil {
		t.Skipf("no namespace of its own: %v", err)
	}
	err := command.Wait()
	if command.ProcessState.ExitCode() == noMount {
		t.Skip("no mount in a namespace of its own")
	}
	if err != nil {
		t.Error(err)
	}
}

const noMount = 77

// writeToAVolume mounts a small volume at a directory and writes to it.
func writeToAVolume(arguments []string) int {
	directory := arguments[0]
	if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size=64k"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return noMount
	}
	w := newWriter(directory)
	set := numbered(1)
	big := *set
	big.Data = map[string][]byte{"a": make([]byte, 128<<10), "b": nil}
	_, err := w.Write(set)
	if err != nil {
		err = fmt.Errorf("the first set: %w", err)
	}
	for range 2 {
		_, full := w.Write(&big)
		err = errors.Join(err, wantError(full, syscall.ENOSPC, directory+": a: there is no room left"), wantNumber(directory, 1))
	}
	_, again := w.Write(numbered(2))
	err = errors.Join(err, again, wantNumber(directory, 2))

	w.Group = 12345 // Not one of the namespace.
	_, group := w.Write(numbered(3))
	err = errors.Join(err, wantError(group, syscall.EINVAL, directory+": a: cannot be given to group 12345: run with fsGroup 12345"), wantNumber(directory, 2))
	w.Group = -1

	err = errors.Join(err, syscall.Mount("", directory, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	_, readOnly := w.Write(numbered(3))
	_, same := w.Write(numbered(2))
	err = errors.Join(err, wantError(readOnly, syscall.EROFS, directory+": the volume is read-only"), same, wantNumber(directory, 2))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func wantError(err error, cause syscall.Errno, prefix string) error {
	if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), prefix) {
		return fmt.Errorf("the error is %w, want %q", err, prefix)
	}
	return nil
}

// wantNumber wants a whole set that has a number, and nothing left of another attempt.
func wantNumber(directory string, want int) error {
	n, err := readPair(directory)
	if err != nil || n != want {
		return fmt.Errorf("readers see set %d, want %d: %w", n, want, err)
	}
	entries, err := os.ReadDir(directory)
	if most := 3 + want; err != nil || len(entries) != most {
		return fmt.Errorf("there are %v, %w", entries, err)
	}
	return nil
}
