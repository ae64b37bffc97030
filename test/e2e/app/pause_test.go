package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/tokensync/tokensync/test/eventually"
)

// The shell leaves its children to the program that takes its place.
func TestPauseReapsWhatItDidNotStart(t *testing.T) {
	t.Parallel()
	command := exec.Command("sh", "-c", `true & sleep 0.3 & exec "$0" pause`, os.Args[0])
	command.Env = append(os.Environ(), appVariable+"=1")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	id := strconv.Itoa(command.Process.Pid)
	eventually.Holds(t, "pause runs and has no child left", func() bool {
		line, err := os.ReadFile("/proc/" + id + "/cmdline")
		if err != nil {
			t.Fatal(err)
		}
		children, err := os.ReadFile("/proc/" + id + "/task/" + id + "/children")
		if err != nil {
			t.Fatal(err)
		}
		return strings.HasSuffix(string(line), "\x00pause\x00") && len(children) == 0
	})
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}
