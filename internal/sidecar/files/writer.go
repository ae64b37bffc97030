package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// Writer keeps a directory in which the keys of the newest set are files. One of them
// writes to a directory, and one goroutine uses it at a time.
type Writer struct {
	// Dir is the directory. It must exist, as the mount of a volume does: a directory that
	// is made at a mistyped path would keep tokens where nobody looks for them.
	Dir string
	// Mode is that of the files, such as 0644. Their directory also lets those in who may
	// read them. It holds whatever the umask is.
	Mode fs.FileMode
	// Group is the group that the files are given to; below 0 they are left with the one
	// that they get of themselves, which in a volume is the pod's fsGroup.
	Group int
	// Clock tells when a directory was made and when to try again, and Random what else
	// stands in its name.
	Clock  clock.Clock
	Random io.Reader
	Log    *slog.Logger

	// before is called before each step, by tests: an error of it is that of the step.
	before func(step) error
}

// Write makes the directory hold a set, and tells whether readers see something else than
// before: nothing is written where the files are what they should be already, as after a
// restart. With an error, too, it tells that, because what can fail after the swap are the
// links of keys that are new.
//
// An error says what to change, is the same at each try as long as its cause is, and leaves
// the set that was there whole.
func (w *Writer) Write(set *sidecar.Set) (changed bool, err error) {
	keys := slices.Sorted(maps.Keys(set.Data))
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return false, fmt.Errorf("%s: %w", w.Dir, err)
		}
	}
	if w.Mode&^fs.ModePerm != 0 || w.Mode&ownerReads == 0 {
		return false, fmt.Errorf("the mode %#o will not do: give read, write and execute bits alone, with read for the owner", uint32(w.Mode))
	}
	root, err := os.OpenRoot(w.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%s: is not there: mount a volume at it: %w", w.Dir, cause(err))
	}
	if err != nil {
		return false, w.explain(w.Dir, err)
	}
	defer closeQuietly(root)
	have, err := w.look(root, set.Data)
	if err != nil {
		return false, w.explain(w.Dir, err)
	}
	fresh, err := newGeneration(w.Clock.Now(), w.Random, have.current)
	if err != nil {
		return false, err
	}
	steps, err := decide(have, keys, fresh)
	if err != nil {
		return false, fmt.Errorf("%s: %w", w.Dir, err)
	}
	return (&work{Writer: w, root: root, data: set.Data, name: fresh.String()}).do(steps)
}

const (
	ownerReads fs.FileMode = 0o400
	allRead    fs.FileMode = 0o444
)

// directoryMode is the mode of a generation: who may read the files may list and pass it.
// Only the owner writes, whoever may write the files: the set stays whole.
func (w *Writer) directoryMode() fs.FileMode {
	return privateDirectory | w.Mode&allRead | w.Mode&allRead>>2
}
