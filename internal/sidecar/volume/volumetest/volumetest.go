// Package volumetest lays directories out as the kubelet does, for tests.
package volumetest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Put writes files of names and values in turn.
func Put(t *testing.T, directory string, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := os.WriteFile(filepath.Join(directory, pairs[i]), []byte(pairs[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Kubelet shows a version of files in a volume as the kubelet does, and removes the one
// before at once.
func Kubelet(t *testing.T, volume, version string, pairs ...string) {
	t.Helper()
	old, _ := os.Readlink(filepath.Join(volume, "..data"))
	version = "..2026_11_22_13_00_00." + version
	if err := os.Mkdir(filepath.Join(volume, version), 0o755); err != nil { //nolint:gosec // As the kubelet makes it.
		t.Fatal(err)
	}
	Put(t, filepath.Join(volume, version), pairs...)
	next := filepath.Join(volume, "..data_tmp")
	if err := errors.Join(os.Symlink(version, next), os.Rename(next, filepath.Join(volume, "..data"))); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		err := os.Symlink("..data/"+pairs[i], filepath.Join(volume, pairs[i]))
		if err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	if old != "" {
		if err := os.RemoveAll(filepath.Join(volume, old)); err != nil {
			t.Fatal(err)
		}
	}
}
