package engine

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadDirectory(t *testing.T) {
	t.Parallel()
	for name, lay := range map[string]func(t *testing.T, directory string){
		"plain files": func(t *testing.T, directory string) {
			t.Helper()
			put(t, filepath.Join(directory, "a"), "1")
			put(t, filepath.Join(directory, "b.c"), "2")
		},
		"a volume of the kubelet": func(t *testing.T, directory string) {
			t.Helper()
			project(t, directory, map[string]string{"a": "old", "b.c": "old"})
			project(t, directory, map[string]string{"a": "1", "b.c": "2"})
		},
		"a part of a volume": func(t *testing.T, directory string) {
			t.Helper()
			// With items whose paths have a directory, as one projected volume for several Secrets.
			volume := filepath.Dir(directory)
			put(t, filepath.Join(volume, "..2026", "name", "a"), "1")
			put(t, filepath.Join(volume, "..2026", "name", "b.c"), "2")
			for link, to := range map[string]string{dataLink: "..2026", "name": "..data/name"} {
				if err := os.Symlink(to, filepath.Join(volume, link)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"with what is no key": func(t *testing.T, directory string) {
			t.Helper()
			put(t, filepath.Join(directory, "a"), "1")
			put(t, filepath.Join(directory, "b.c"), "2")
			put(t, filepath.Join(directory, "..hidden"), "3")
			put(t, filepath.Join(directory, "white space"), "4")
			put(t, filepath.Join(directory, "sub", "a"), "5")
			if err := os.Symlink("nowhere", filepath.Join(directory, "dangling")); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(filepath.Join(directory, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := filepath.Join(t.TempDir(), "name")
			lay(t, directory)
			data, err := readDirectory(directory)
			if err != nil || len(data) != 2 || string(data["a"]) != "1" || string(data["b.c"]) != "2" {
				t.Errorf("got %q, %v", data, err)
			}
		})
	}
}

func TestReadDirectoryRefuses(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if _, err := readDirectory(filepath.Join(root, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	put(t, filepath.Join(root, "file"), "")
	if _, err := readDirectory(filepath.Join(root, "file")); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/file cannot be read") {
		t.Errorf("got %v", err)
	}
	put(t, filepath.Join(root, "large", "a"), strings.Repeat("x", maxObject/2))
	put(t, filepath.Join(root, "large", "b"), strings.Repeat("x", maxObject/2))
	if data, err := readDirectory(filepath.Join(root, "large")); err != nil || len(data) != 2 {
		t.Errorf("as much as there may be: %v", err)
	}
	put(t, filepath.Join(root, "large", "c"), "x")
	if _, err := readDirectory(filepath.Join(root, "large")); err == nil || !strings.Contains(err.Error(), "more than 1 MiB") {
		t.Errorf("got %v", err)
	}
}

// TestNoMixture: while a volume is swapped, what is read is of one version.
func TestNoMixture(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "name")
	write := func(i int) {
		value := strings.Repeat(string(rune('a'+i%26)), 100)
		project(t, directory, map[string]string{"a": value, "b": value, "c": value})
	}
	write(0)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 300 {
			write(i)
		}
	})
	for range 300 {
		data, err := readDirectory(directory)
		if err != nil {
			if strings.Contains(err.Error(), "changes faster") {
				continue // It does, here.
			}
			t.Fatal(err)
		}
		if len(data) != 3 || !bytes.Equal(data["a"], data["b"]) || !bytes.Equal(data["b"], data["c"]) {
			t.Fatal("a mixture was read")
		}
	}
	writer.Wait()
}
