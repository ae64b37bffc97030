package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tokensync/tokensync/internal/render"
)

// These are the modes of what is not finished yet.
const (
	privateFile      fs.FileMode = 0o600
	privateDirectory fs.FileMode = 0o700
)

// work does the steps of a plan.
type work struct {
	*Writer
	root *os.Root
	data render.Data
	// name is that of the new generation, and made that directory once it is there.
	name string
	made *os.Root
}

// do does the steps in turn. It tells whether readers see something else than before, be it
// that a later step failed.
func (j *work) do(steps []step) (changed bool, err error) {
	defer func() {
		if j.made != nil {
			closeQuietly(j.made)
		}
	}()
	swapped := false
	for _, s := range steps {
		if err := j.step(s); err != nil {
			if j.made != nil && !swapped {
				// What could be written of it is of no use to anybody, and takes room.
				j.remove(dataNext)
				j.remove(j.name)
			}
			return changed, j.explain(s.about(j.Dir), err)
		}
		swapped = swapped || s.do == swap
		changed = changed || s.do == swap || s.do == link || s.do == unlink
	}
	return changed, nil
}

func (j *work) step(s step) error {
	if j.before != nil {
		if err := j.before(s); err != nil {
			return err
		}
	}
	switch s.do {
	case remove:
		j.remove(s.name)
		return nil
	case create:
		return j.create()
	case fill:
		return j.fill(s.name)
	case seal:
		return onDirectory(j.made, func(directory *os.File) error {
			return errors.Join(j.own(directory, j.directoryMode()), directory.Sync())
		})
	case point:
		return j.root.Symlink(j.name, dataNext)
	case swap:
		return j.root.Rename(dataNext, dataLink)
	case link:
		return j.root.Symlink(linkTo(s.name), s.name)
	case unlink:
		return j.root.Remove(s.name)
	case repair:
		return j.repair(s.name)
	case persist:
		return onDirectory(j.root, (*os.File).Sync)
	}
	return fmt.Errorf("unknown step %d", s.do)
}

// remove removes something of ours that no reader needs. Where that fails, as with files
// that somebody else has put into it, the token is none the worse for it.
func (j *work) remove(name string) {
	if err := j.root.RemoveAll(name); err != nil {
		j.Log.Warn("Something old is left in the output directory", "directory", j.Dir, "name", name, "error", cause(err))
	}
}

// create makes the directory of the new generation. Nobody else sees into it before it is
// whole.
func (j *work) create() error {
	if err := j.root.Mkdir(j.name, privateDirectory); err != nil {
		return err
	}
	made, err := j.root.OpenRoot(j.name)
	if err != nil {
		return err
	}
	j.made = made
	return nil
}

// fill writes a key into the new generation.
func (j *work) fill(key string) error {
	file, err := j.made.OpenFile(key, os.O_WRONLY|os.O_CREATE|os.O_EXCL, privateFile)
	if err != nil {
		return err
	}
	_, err = file.Write(j.data[key])
	if err == nil {
		err = j.own(file, j.Mode)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// repair gives a file of the generation that counts, or `.` for its directory, the mode and
// the group that it should have.
func (j *work) repair(name string) error {
	generation, err := j.root.OpenRoot(dataLink)
	if err != nil {
		return err
	}
	defer closeQuietly(generation)
	if name == "." {
		return onDirectory(generation, func(directory *os.File) error { return j.own(directory, j.directoryMode()) })
	}
	file, _, err := openRegular(generation, name)
	if err != nil {
		return err
	}
	defer closeQuietly(file)
	return j.own(file, j.Mode)
}

// own gives the group and then the mode, because a change of the group may take bits of the
// mode away. The mode does not go by the umask.
func (w *Writer) own(file *os.File, mode fs.FileMode) error {
	if w.Group >= 0 {
		if err := file.Chown(-1, w.Group); err != nil {
			return &groupError{err}
		}
	}
	return file.Chmod(mode)
}

// onDirectory opens a directory itself.
func onDirectory(root *os.Root, act func(*os.File) error) error {
	directory, err := root.Open(".")
	if err != nil {
		return err
	}
	defer closeQuietly(directory)
	return act(directory)
}
