package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// groupError is a failure to give a file to a group.
type groupError struct{ err error }

func (e *groupError) Error() string { return e.err.Error() }

func (e *groupError) Unwrap() error { return e.err }

// about is what a step is about, for people. It names no generation: the same failure reads
// alike at the next try.
func (s step) about(directory string) string {
	switch s.do {
	case fill, link, unlink:
		return fmt.Sprintf("%s: %s", directory, s.name)
	case remove, create, seal, point, swap, repair, persist:
	}
	return directory
}

// explain says what failed, and what to change.
func (w *Writer) explain(what string, err error) error {
	_, isGroup := errors.AsType[*groupError](err)
	var advice string
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		advice = "there is no room left: raise the sizeLimit of the volume"
	case errors.Is(err, syscall.EROFS):
		advice = "the volume is read-only: mount it without readOnly in the container of the sidecar"
	case isGroup:
		advice = fmt.Sprintf("cannot be given to group %d: run with fsGroup %d in the securityContext of the pod", w.Group, w.Group)
	case errors.Is(err, fs.ErrPermission):
		advice = "may not be written: run with fsGroup in the securityContext of the pod, or as the owner of the directory"
	case errors.Is(err, fs.ErrExist):
		advice = "something is there that is not of tokensync: remove it, or write to a directory of its own"
	default:
		return fmt.Errorf("%s: %w", what, cause(err))
	}
	return fmt.Errorf("%s: %s: %w", what, advice, cause(err))
}

// cause is an error without the names of files in it.
func cause(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return failed.Err
	}
	return err
}
