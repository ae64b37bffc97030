package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
)

const (
	digits  = 8
	repeats = 256
)

// numbered makes a set of which each key carries a number, many times over.
func numbered(n int) *sidecar.Set {
	value := []byte(strings.Repeat(fmt.Sprintf("%0*d", digits, n), repeats))
	set, _ := sidecar.Keys{Token: "a"}.Set(map[string][]byte{"a": value, "b": value}, lifetime.Token{})
	return set
}

// number reads it back. The error tells of a value that is not whole.
func number(value []byte) (int, error) {
	text := string(value)
	if len(text) != digits*repeats || text != strings.Repeat(text[:digits], repeats) {
		return 0, fmt.Errorf("%d bytes that are not whole", len(text))
	}
	return strconv.Atoi(text[:digits])
}

// readPair resolves ..data once, and reads two keys there.
func readPair(directory string) (int, error) {
	generation, err := os.Readlink(filepath.Join(directory, "..data"))
	if err != nil {
		return 0, err
	}
	var numbers [2]int
	for i, key := range []string{"a", "b"} {
		if numbers[i], err = readOne(filepath.Join(directory, generation), key); err != nil {
			return 0, err
		}
	}
	if numbers[0] != numbers[1] {
		return 0, fmt.Errorf("torn: a is of set %d, and b of set %d", numbers[0], numbers[1])
	}
	return numbers[0], nil
}

func readOne(directory, key string) (int, error) {
	value, err := os.ReadFile(filepath.Join(directory, key))
	if err != nil {
		return 0, err
	}
	return number(value)
}

// memory is a directory in memory, as the volumes are that tokens are written to.
func memory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("/dev/shm", "tokensync-test-") //nolint:usetesting // Syncing to a disk would take minutes.
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(directory); err != nil {
			t.Error(err)
		}
	})
	return directory
}

func TestTenThousandSwapsTearNothing(t *testing.T) {
	const (
		swaps = 10_000
		pause = 100 * time.Microsecond // Some reads to each swap; without it they leave it no processor.
	)
	directory := memory(t)
	w := newWriter(directory)
	mustWrite(t, w, numbered(0), true)
	var begun, done atomic.Int64
	var readers sync.WaitGroup
	follow := func(name string, read func() (int, error)) {
		readers.Go(func() {
			last, whole, late := 0, 0, 0
			for ; done.Load() < swaps; time.Sleep(pause) {
				earliest := done.Load()
				n, err := read()
				switch {
				case errors.Is(err, fs.ErrNotExist) && begun.Load() >= earliest+2:
					late++ // The reader stood still for the whole life of a set, and reads again.
				case err != nil:
					t.Errorf("%s: %v, between the swaps %d and %d", name, err, earliest, begun.Load())
					return
				case n < last || n < int(earliest):
					t.Errorf("%s: read %d after %d, when %d was there", name, n, last, earliest)
					return
				default:
					last = n
					whole++
				}
			}
			if whole == 0 {
				t.Errorf("%s has read nothing", name)
			}
			t.Logf("%s: %d whole, %d late", name, whole, late)
		})
	}
	for i := range 4 {
		follow(fmt.Sprintf("pair reader %d", i), func() (int, error) { return readPair(directory) })
	}
	for _, key := range []string{"a", "b"} {
		follow("reader of "+key, func() (int, error) { return readOne(directory, key) })
	}
	for n := 1; n <= swaps; n++ {
		begun.Store(int64(n))
		if changed, err := w.Write(numbered(n)); err != nil || !changed {
			t.Errorf("swap %d: %t, %v", n, changed, err)
			done.Store(swaps)
			break
		}
		done.Store(int64(n))
	}
	readers.Wait()
	wantClean(t, directory, 2)
}
