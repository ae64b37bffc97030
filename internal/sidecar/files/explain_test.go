package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

func TestErrorsSayWhatToChange(t *testing.T) {
	t.Parallel()
	at := func(errno error) error { return &fs.PathError{Op: "openat", Path: "..2026_11_22/a", Err: errno} }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"full":              {at(syscall.ENOSPC), "/out: there is no room left: raise the sizeLimit of the volume: no space left on device"},
		"over the quota":    {at(syscall.EDQUOT), "/out: there is no room left: raise the sizeLimit of the volume: disk quota exceeded"},
		"no room for links": {&os.LinkError{Op: "symlinkat", Err: syscall.ENOSPC}, "/out: there is no room left: raise the sizeLimit of the volume: no space left on device"},
		"read-only":         {at(syscall.EROFS), "/out: the volume is read-only: mount it without readOnly in the container of the sidecar: read-only file system"},
		"read-only for the group": {
			&groupError{at(syscall.EROFS)},
			"/out: the volume is read-only: mount it without readOnly in the container of the sidecar: read-only file system",
		},
		"another's group": {
			&groupError{at(syscall.EPERM)},
			"/out: cannot be given to group 7: run with fsGroup 7 in the securityContext of the pod: operation not permitted",
		},
		"another's directory": {
			at(syscall.EACCES),
			"/out: may not be written: run with fsGroup in the securityContext of the pod, or as the owner of the directory: permission denied",
		},
		"in the way": {
			&os.LinkError{Op: "symlinkat", Err: syscall.EEXIST},
			"/out: something is there that is not of tokensync: remove it, or write to a directory of its own: file exists",
		},
		"anything else": {errors.Join(at(syscall.EIO)), "/out: input/output error"},
	} {
		if err := (&Writer{Dir: "/out", Group: 7}).explain("/out", c.err); err.Error() != c.want || !errors.Is(c.err, errors.Unwrap(err)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
