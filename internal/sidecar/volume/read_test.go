package volume

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/sidecar/volume/volumetest"
)

func TestRead(t *testing.T) {
	t.Parallel()
	mebibyte := strings.Repeat("x", maxFile)
	for name, c := range map[string]struct {
		make func(t *testing.T, directory string)
		want map[string]string
		err  string
	}{
		"a Secret volume": {
			make: func(t *testing.T, d string) {
				t.Helper()
				volumetest.Kubelet(t, d, "1", "access_token", "a", ".netrc", "n", "empty", "")
			},
			want: map[string]string{"access_token": "a", ".netrc": "n", "empty": ""},
		},
		"what lies beside the version": {
			make: func(t *testing.T, d string) {
				t.Helper()
				volumetest.Kubelet(t, d, "1", "access_token", "a")
				volumetest.Put(t, d, "stray", "s")
			},
			want: map[string]string{"access_token": "a"},
		},
		"a plain directory": {
			make: func(t *testing.T, d string) {
				t.Helper()
				volumetest.Put(t, d, "access_token", "a", "..hidden", "h", "no key", "x")
				err := errors.Join(os.Mkdir(filepath.Join(d, "sub"), 0o700), os.Symlink("access_token", filepath.Join(d, "link")),
					os.Symlink("nowhere", filepath.Join(d, "dangling")), syscall.Mkfifo(filepath.Join(d, "pipe"), 0o600))
				if err != nil {
					t.Fatal(err)
				}
			},
			want: map[string]string{"access_token": "a", "link": "a"},
		},
		"a part of a volume": {
			make: func(t *testing.T, d string) {
				t.Helper()
				// With items whose paths have a directory, as one projected volume for several Secrets.
				part := filepath.Join(filepath.Dir(d), "..2026", "volume")
				err := errors.Join(os.Remove(d), os.MkdirAll(part, 0o700),
					os.Symlink("..2026", filepath.Join(filepath.Dir(d), dataLink)), os.Symlink("..data/volume", d))
				if err != nil {
					t.Fatal(err)
				}
				volumetest.Put(t, part, "access_token", "a")
			},
			want: map[string]string{"access_token": "a"},
		},
		"an empty directory": {make: func(*testing.T, string) {}},
		"an empty version": {
			make: func(t *testing.T, d string) { t.Helper(); volumetest.Kubelet(t, d, "1") },
		},
		"no directory": {
			make: func(t *testing.T, d string) {
				t.Helper()
				if err := os.Remove(d); err != nil {
					t.Fatal(err)
				}
			},
			err: "DIR cannot be read: no such file or directory",
		},
		"a file": {
			make: func(t *testing.T, d string) {
				t.Helper()
				if err := errors.Join(os.Remove(d), os.WriteFile(d, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			},
			err: "DIR cannot be read: not a directory",
		},
		"the largest file":    {make: func(t *testing.T, d string) { t.Helper(); volumetest.Put(t, d, "a", mebibyte) }, want: map[string]string{"a": mebibyte}},
		"a larger file":       {make: func(t *testing.T, d string) { t.Helper(); volumetest.Put(t, d, "a", mebibyte+"x") }, err: "DIR/a cannot be read: it has more than 1024 KiB"},
		"a larger file there": {make: func(t *testing.T, d string) { t.Helper(); volumetest.Kubelet(t, d, "1", "a", mebibyte+"x") }, err: "DIR/a cannot be read: it has more than 1024 KiB"},
		"the most of all": {
			make: func(t *testing.T, d string) {
				t.Helper()
				volumetest.Put(t, d, "a", mebibyte, "b", mebibyte, "c", mebibyte)
			},
			want: map[string]string{"a": mebibyte, "b": mebibyte, "c": mebibyte},
		},
		"more than that": {
			make: func(t *testing.T, d string) {
				t.Helper()
				volumetest.Put(t, d, "a", mebibyte, "b", mebibyte, "c", mebibyte, "d", "x")
			},
			err: "the files in DIR have more than 3 MiB",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := filepath.Join(t.TempDir(), "volume")
			if err := os.Mkdir(directory, 0o700); err != nil {
				t.Fatal(err)
			}
			c.make(t, directory)
			data, err := Read(directory)
			if text := strings.ReplaceAll(fmt.Sprint(err), directory, "DIR"); (err == nil) != (c.err == "") || !strings.HasPrefix(text, c.err) && err != nil {
				t.Fatalf("the error is %v, want %q", err, c.err)
			}
			got := map[string]string{}
			for key, value := range data {
				got[key] = string(value)
			}
			if err == nil && !maps.Equal(got, c.want) {
				t.Errorf("found %d keys, want %d", len(got), len(c.want))
			}
		})
	}
}

func TestAFileThatMayNotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	err := explain("/mnt/access_token", &os.PathError{Op: "open", Path: "/mnt/..2026/access_token", Err: syscall.EACCES})
	if text := err.Error(); !strings.HasPrefix(text, "/mnt/access_token may not be read") || strings.Contains(text, "..2026") || !errors.Is(err, os.ErrPermission) {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatIsReadIsOfOneVersion(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	const versions, keys = 300, 5
	show := func(n int) {
		var pairs []string
		for key := range keys {
			pairs = append(pairs, fmt.Sprintf("key-%d", key), fmt.Sprint(n))
		}
		volumetest.Kubelet(t, volume, fmt.Sprint(n), pairs...)
	}
	show(0)
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			whole := 0
			for ; !done.Load() || whole == 0; time.Sleep(100 * time.Microsecond) {
				data, err := Read(volume)
				if err != nil {
					if !strings.Contains(err.Error(), "changes faster") {
						t.Error(err)
						return
					}
					continue
				}
				whole++
				for key := range keys {
					if got, want := string(data[fmt.Sprintf("key-%d", key)]), string(data["key-0"]); got != want || len(data) != keys {
						t.Errorf("%d keys, of the versions %q and %q", len(data), want, got)
						return
					}
				}
			}
		})
	}
	for n := 1; n < versions; n++ {
		show(n)
	}
	done.Store(true)
	readers.Wait()
}
