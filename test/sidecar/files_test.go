package sidecar_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The keys in all specs: that of the token, and one with the same value, so that a reader
// knows what belongs together.
const (
	tokenKey = "access_token"
	copyKey  = "copy"
)

// file is what the app reads, opening the file anew.
func (a *agent) file(key string) func() (string, error) {
	return func() (string, error) {
		content, err := os.ReadFile(filepath.Join(a.directory, key))
		return string(content), err
	}
}

// files are all keys of one version, but for that of the expiry.
func (a *agent) files() (map[string]string, error) {
	data, err := readSet(a.directory)
	delete(data, "expires_at")
	return data, err
}

// listed are the names that the app sees in the directory.
func (a *agent) listed() ([]string, error) {
	entries, err := os.ReadDir(a.directory)
	var names []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "..") {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// readSet reads all keys of one version, as an app does that needs several: it looks where
// ..data leads, and reads there. It begins again only where that has changed meanwhile.
func readSet(directory string) (map[string]string, error) {
	for {
		version, err := os.Readlink(filepath.Join(directory, "..data"))
		if err != nil {
			return nil, err
		}
		data, err := readDirectory(filepath.Join(directory, version))
		if now, failed := os.Readlink(filepath.Join(directory, "..data")); failed == nil && now != version {
			continue
		}
		return data, err
	}
}

func readDirectory(directory string) (map[string]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	data := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			return nil, err
		}
		data[entry.Name()] = string(content)
	}
	return data, nil
}

// reader is an app that reads its files over and over.
type reader struct {
	mu sync.Mutex
	// read are the tokens in their order, each as often as it came.
	read     []string
	problems []string
}

// follow reads the files of a sidecar, which are there, until the spec ends. What is read
// has to be whole each time.
func (a *agent) follow() *reader {
	r := &reader{}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				r.look(a)
			}
		}
	})
	DeferCleanup(func() {
		close(stop)
		reading.Wait()
		Expect(r.found()).To(BeEmpty())
	})
	return r
}

// look reads the files once: all of one version, and that of the token alone.
func (r *reader) look(a *agent) {
	data, err := readSet(a.directory)
	single, singleErr := a.file(tokenKey)()
	r.mu.Lock()
	defer r.mu.Unlock()
	if token := data[tokenKey]; len(r.read) == 0 || r.read[len(r.read)-1] != token {
		r.read = append(r.read, token)
	}
	switch {
	case err != nil:
		r.problems = append(r.problems, err.Error())
	case singleErr != nil:
		r.problems = append(r.problems, singleErr.Error())
	case data[tokenKey] == "" || data[tokenKey] != data[copyKey]:
		r.problems = append(r.problems, fmt.Sprintf("a set that is torn: %v", data))
	case single == "":
		r.problems = append(r.problems, "a file that is empty")
	}
}

// found are the problems so far.
func (r *reader) found() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.problems)
}

// tokens are those that were read.
func (r *reader) tokens() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.read)
}
