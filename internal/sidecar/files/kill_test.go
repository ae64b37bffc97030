package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// children are the programs as which tests start their own binary again. Each takes a
// directory first.
var children = map[string]func(arguments []string) int{"swap": swapOn, "die": dieAtStep}

// child is a command that runs one of them.
func child(t *testing.T, name string, arguments ...any) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	for _, argument := range arguments {
		command.Args = append(command.Args, fmt.Sprint(argument))
	}
	command.Env = append(os.Environ(), childVariable+"="+name)
	command.Stderr = os.Stderr
	return command
}

// swapOn writes a set with a number, says so, waits for a byte, and then writes one set
// after the other.
func swapOn(arguments []string) int {
	w := newWriter(arguments[0])
	n, err := strconv.Atoi(arguments[1])
	if err != nil {
		return 2
	}
	if _, err := w.Write(numbered(n)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := os.Stdout.WriteString("ready\n"); err != nil {
		return 2
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return 2
	}
	for range 100_000 { // As good as for ever, but for a test that is gone.
		n++
		if _, err := w.Write(numbered(n)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// dieAtStep writes a set with a number, and kills itself before the step of that count.
func dieAtStep(arguments []string) int {
	w := newWriter(arguments[0])
	n, err1 := strconv.Atoi(arguments[1])
	at, err2 := strconv.Atoi(arguments[2])
	if err := errors.Join(err1, err2); err != nil {
		return 2
	}
	w.before = func(step) error {
		if at--; at < 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}
	if _, err := w.Write(numbered(n)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestKilledInTheMiddleOfSwaps(t *testing.T) {
	t.Parallel()
	const kills = 50
	directory := memory(t)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			// A reader may stand still for two swaps, and before the first there is nothing.
			if _, err := readPair(directory); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
				return
			}
		}
	})
	defer reader.Wait()
	defer close(stop)
	next, leftovers := 1, 0
	for range kills {
		command := child(t, "swap", directory, next)
		in, out := pipes(t, command)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
			t.Fatalf("the child says %q, %v", line, err)
		}
		if generations, others := hidden(t, directory); len(generations) > 2 || len(others) != 1 {
			t.Fatalf("after a restart there are %q and %q", generations, others)
		}
		if n, err := readPair(directory); err != nil || n != next {
			t.Fatalf("after a restart readers see %d, want %d: %v", n, next, err)
		}
		if _, err := in.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = command.Wait() // It was killed.
		n, err := readPair(directory)
		if err != nil {
			t.Fatalf("after a kill: %v", err)
		}
		for _, key := range []string{"a", "b"} {
			if one, err := readOne(directory, key); err != nil || one != n {
				t.Fatalf("after a kill %s is of set %d, want %d: %v", key, one, n, err)
			}
		}
		if generations, others := hidden(t, directory); len(generations) > 2 || len(others) > 1 {
			leftovers++
		}
		next = n + 1
	}
	t.Logf("%d sets, %d of %d kills left something", next, leftovers, kills)
}

func pipes(t *testing.T, command *exec.Cmd) (io.Writer, io.Reader) {
	t.Helper()
	in, err1 := command.StdinPipe()
	out, err2 := command.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return in, out
}

func TestKilledBeforeEachStep(t *testing.T) {
	t.Parallel()
	for _, sets := range []int{0, 1, 2} { // Those that are there before.
		killed := 0
		for ; ; killed++ {
			directory := memory(t)
			for n := range sets {
				mustWrite(t, newWriter(directory), numbered(n), true)
			}
			err := child(t, "die", directory, sets, killed).Run()
			if err == nil {
				break
			}
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("step %d: %v", killed, err)
			}
			n, err := readPair(directory)
			if none := sets == 0 && errors.Is(err, fs.ErrNotExist); !none && (err != nil || n != sets && n != sets-1) {
				t.Errorf("%d sets, step %d: readers see set %d, %v", sets, killed, n, err)
			}
			// Another attempt of the same, and then one set more.
			if _, err := newWriter(directory).Write(numbered(sets)); err != nil {
				t.Errorf("%d sets, step %d: %v", sets, killed, err)
			}
			wantClean(t, directory, min(sets+1, 2))
			mustWrite(t, newWriter(directory), numbered(sets+1), true)
			wantClean(t, directory, 2)
			if n, err := readPair(directory); err != nil || n != sets+1 {
				t.Errorf("%d sets, step %d: then readers see set %d, %v", sets, killed, n, err)
			}
		}
		if killed < 7 {
			t.Errorf("%d sets: there were only %d steps", sets, killed)
		}
	}
}
