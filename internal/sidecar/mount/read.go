package mount

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// dataLink leads to the directory with the files of the version that counts.
	dataLink = "..data"

	// maxFile and maxAll bound what is read, in bytes. A Secret has at most 1 MiB, and a
	// projected volume may hold several.
	maxFile = 1 << 20
	maxAll  = 3 << 20
	mebi    = 1 << 20

	// maxTries bounds how often a directory is read that changes underneath.
	maxTries = 5
)

// read reads the files of a volume, all of one version. The error says what to change, and
// is the same as long as its cause is.
func read(directory string) (map[string][]byte, error) {
	for range maxTries {
		version := versionOf(directory)
		data, err := readFiles(directory, version)
		// While ..data leads there nothing of a version is removed. Otherwise some of it may
		// have been gone already, and what could be read is not the whole.
		if versionOf(directory) != version {
			continue
		}
		if err == nil && len(data) == 0 {
			err = fmt.Errorf("%s holds no files: mount the Secret there, and see that it has keys", directory)
		}
		return data, err
	}
	return nil, fmt.Errorf("%s changes faster than it can be read: let one writer at a time write to it", directory)
}

// versionOf is the directory in which the files lie: the one that ..data leads to, or the
// volume itself where there is no such link.
func versionOf(directory string) string {
	target, err := os.Readlink(filepath.Join(directory, dataLink))
	if err != nil {
		return directory
	}
	if filepath.IsAbs(target) {
		return target
	}
	return filepath.Join(directory, target)
}

// readFiles reads all files that may be keys.
func readFiles(directory, version string) (map[string][]byte, error) {
	entries, err := os.ReadDir(version)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: mount the Secret there", directory)
	}
	if err != nil {
		return nil, explain(directory, err)
	}
	data, left := map[string][]byte{}, maxAll
	for _, entry := range entries {
		name := entry.Name()
		if len(validation.IsConfigMapKey(name)) > 0 {
			continue // Names that begin with `..`, which are the kubelet's own, are no keys either.
		}
		value, err := readFile(filepath.Join(version, name))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoFile):
			continue
		case err != nil:
			return nil, explain(filepath.Join(directory, name), err)
		case len(value) > maxFile:
			return nil, fmt.Errorf("%s has more than %d MiB: mount the Secret with the token alone", filepath.Join(directory, name), maxFile/mebi)
		}
		if left -= len(value); left < 0 {
			return nil, fmt.Errorf("the files in %s have more than %d MiB: mount the Secret with the token alone", directory, maxAll/mebi)
		}
		data[name] = value
	}
	return data, nil
}

// errNoFile is a name that is no regular file, such as that of a directory.
var errNoFile = errors.New("no regular file")

// readFile reads a file, up to a byte more than one may have. It waits for no writer of a
// pipe.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // Reading the mounted files is what this is for.
	if err != nil {
		return nil, err
	}
	value, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	return value, errors.Join(err, file.Close())
}

// explain says what cannot be read, without the name of the version that it was read in.
func explain(what string, err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s may not be read: run with fsGroup in the securityContext of the pod, or set defaultMode of the volume: %w", what, err)
	}
	return fmt.Errorf("%s cannot be read: %w", what, err)
}
