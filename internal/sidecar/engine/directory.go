package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// dataLink leads to the files that count in a volume of the kubelet, who swaps it as a
	// whole. No key begins as it does.
	dataLink = "..data"

	// maxObject is the most bytes of a directory, as of a Secret or a ConfigMap.
	maxObject = 1 << 20
	// maxTries bounds how often a directory is read that changes underneath.
	maxTries = 5
)

// readDirectory reads the keys of an object that is laid out as a directory: as the
// kubelet does it, also as a part of a volume with several, or plain files. All keys are of
// one version. A directory that is not there is fs.ErrNotExist.
func readDirectory(directory string) (map[string][]byte, error) {
	for range maxTries {
		version, err := versionOf(directory)
		if err != nil {
			return nil, plainError(directory, err)
		}
		data, err := readKeys(version, directory)
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

// readKeys reads the files of one version of a directory.
func readKeys(version, directory string) (map[string][]byte, error) {
	entries, err := os.ReadDir(version)
	if err != nil {
		return nil, plainError(directory, err)
	}
	data, left := map[string][]byte{}, maxObject
	for _, entry := range entries {
		name := entry.Name()
		if len(validation.IsConfigMapKey(name)) > 0 {
			continue // No key has such a name.
		}
		value, err := readFile(filepath.Join(version, name), left)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoFile):
			continue
		case errors.Is(err, errTooLarge):
			return nil, fmt.Errorf("the files in %s have more than %d MiB, which no Secret and no ConfigMap has: mount one object there",
				directory, maxObject>>20)
		case err != nil:
			return nil, plainError(filepath.Join(directory, name), err)
		}
		left -= len(value)
		data[name] = value
	}
	return data, nil
}

var (
	// errNoFile is a name that is no regular file, such as that of a directory.
	errNoFile   = errors.New("it is no regular file")
	errTooLarge = errors.New("it is too large")
)

// readFile reads a regular file of at most so many bytes.
func readFile(path string, most int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainError(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s cannot be read: %w", path, errNoFile)
	}
	file, err := os.Open(path) //nolint:gosec // The paths come from who runs the process, and from checked names.
	if err != nil {
		return nil, plainError(path, err)
	}
	defer func() { _ = file.Close() }() // It was only read.
	content, err := io.ReadAll(io.LimitReader(file, int64(most)+1))
	if err != nil {
		return nil, plainError(path, err)
	}
	if len(content) > most {
		return nil, fmt.Errorf("%s cannot be read: %w", path, errTooLarge)
	}
	return content, nil
}

// plainError names the path as it was given, and not that of a version, which changes.
func plainError(path string, err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}
