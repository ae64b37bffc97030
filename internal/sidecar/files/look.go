package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/tokensync/tokensync/internal/render"
)

// look reads what there is in the directory, and compares it with what is wanted.
func (w *Writer) look(root *os.Root, want render.Data) (listing, error) {
	have := listing{entries: map[string]string{}}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return have, err
	}
	for _, entry := range entries {
		have.entries[entry.Name()] = ""
		if entry.Type() != fs.ModeSymlink {
			continue
		}
		// What is gone in the meantime is no link any more.
		if have.entries[entry.Name()], err = root.Readlink(entry.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return have, err
		}
	}
	target, there := have.entries[dataLink]
	if !there {
		return have, nil
	}
	current, ours := parseGeneration(target)
	if !ours {
		return have, fmt.Errorf("%s is there and is no link of tokensync: write to a directory of its own", dataLink)
	}
	have.current = current
	have.intact, have.loose = w.compare(root, current.String(), want)
	return have, nil
}

// compare tells whether a generation holds what is wanted, and which of its files, `.` for
// the directory itself, have another mode or group than they should. What cannot be read
// is not what is wanted: the next generation replaces it.
func (w *Writer) compare(root *os.Root, name string, want render.Data) (intact bool, loose []string) {
	generation, err := root.OpenRoot(name)
	if err != nil {
		return false, nil
	}
	defer closeQuietly(generation)
	entries, err := fs.ReadDir(generation.FS(), ".")
	if err != nil || len(entries) != len(want) {
		return false, nil
	}
	for _, entry := range entries {
		value, wanted := want[entry.Name()]
		info, same := holds(generation, entry.Name(), value)
		if !wanted || !same {
			return false, nil
		}
		if w.isLoose(info, w.Mode) {
			loose = append(loose, entry.Name())
		}
	}
	if info, err := generation.Lstat("."); err != nil || w.isLoose(info, w.directoryMode()) {
		loose = append(loose, ".")
	}
	return true, loose
}

// holds tells whether a file holds a value. It reads no more than that.
func holds(generation *os.Root, name string, value []byte) (fs.FileInfo, bool) {
	file, info, err := openRegular(generation, name)
	if err != nil {
		return nil, false
	}
	defer closeQuietly(file)
	if info.Size() != int64(len(value)) {
		return nil, false
	}
	found := make([]byte, len(value))
	_, err = io.ReadFull(file, found)
	return info, err == nil && bytes.Equal(found, value)
}

// openRegular opens a file for reading that is no symlink, and nothing that waits for a
// writer.
func openRegular(generation *os.Root, name string) (*os.File, fs.FileInfo, error) {
	named, err := generation.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	file, err := generation.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	opened, err := file.Stat()
	if err == nil && (!opened.Mode().IsRegular() || !os.SameFile(named, opened)) {
		err = fs.ErrInvalid
	}
	if err != nil {
		closeQuietly(file)
		return nil, nil, err
	}
	return file, opened, nil
}

// isLoose tells whether something has another mode than it should, or another group.
func (w *Writer) isLoose(info fs.FileInfo, mode fs.FileMode) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm() != mode || w.Group >= 0 && known && int(stat.Gid) != w.Group
}

// closeQuietly closes what was only read.
func closeQuietly(c io.Closer) { _ = c.Close() }
