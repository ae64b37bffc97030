// Package volume reads what the kubelet shows in a directory: Secrets, ConfigMaps, and
// projected tokens. A plain directory of files is read as well.
package volume

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

// Read reads the keys of an object that is laid out as a directory: as the kubelet does it,
// also as a part of a volume with several, or as plain files. All keys are of one version.
// The error says what to change, and is the same as long as its cause is; a directory that
// is not there is fs.ErrNotExist.
func Read(directory string) (map[string][]byte, error) {
	for range maxTries {
		version, err := versionOf(directory)
		if err != nil {
			return nil, explain(directory, err)
		}
		data, err := readKeys(version, directory)
		// While the links lead there nothing of a version is removed. Otherwise some of it may
		// have been gone already, and what could be read is not the whole.
		if now, moved := versionOf(directory); moved == nil && now == version {
			return data, err
		}
	}
	return nil, fmt.Errorf("%s changes faster than it can be read: let one writer at a time write to it", directory)
}

// versionOf is the directory itself in which the files are, whatever links lead there.
func versionOf(directory string) (string, error) {
	if version, err := filepath.EvalSymlinks(filepath.Join(directory, dataLink)); err == nil {
		return version, nil
	}
	return filepath.EvalSymlinks(directory)
}

// readKeys reads all files of a version that may be keys.
func readKeys(version, directory string) (map[string][]byte, error) {
	entries, err := os.ReadDir(version)
	if err != nil {
		return nil, explain(directory, err)
	}
	data, left := map[string][]byte{}, maxAll
	for _, entry := range entries {
		name := entry.Name()
		if len(validation.IsConfigMapKey(name)) > 0 {
			continue // Names that begin with `..`, which are the kubelet's own, are no keys either.
		}
		value, err := read(filepath.Join(version, name), maxFile)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoFile):
			continue
		case err != nil:
			return nil, explain(filepath.Join(directory, name), err)
		}
		if left -= len(value); left < 0 {
			return nil, fmt.Errorf("the files in %s have more than %d MiB: mount one Secret there, or one ConfigMap", directory, maxAll/mebi)
		}
		data[name] = value
	}
	return data, nil
}

// File reads a regular file of at most so many bytes. The error is like that of Read.
func File(path string, most int) ([]byte, error) {
	content, err := read(path, most)
	if err != nil {
		return nil, explain(path, err)
	}
	return content, nil
}

// errNoFile is a name that is no regular file, such as that of a directory.
var errNoFile = errors.New("it is no regular file")

// read reads a file. It waits for no writer of a pipe.
func read(path string, most int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // Reading mounted files is what this is for.
	if err != nil {
		return nil, err
	}
	value, err := io.ReadAll(io.LimitReader(file, int64(most)+1))
	if err == nil && len(value) > most {
		err = fmt.Errorf("it has more than %d KiB", most>>10)
	}
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
