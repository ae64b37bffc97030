package mount

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/volume"
)

// pollEvery is how often the directory is read besides the watch. It is also how long a
// directory stays unnoticed that is made anew.
const pollEvery = 30 * time.Second

// Source reads a mounted Secret. It asks nobody for a fresh token.
type Source struct {
	// Dir is where the Secret is mounted, as a whole volume: the kubelet never changes what
	// is mounted by subPath.
	Dir   string
	Keys  sidecar.Keys
	Clock clock.WithTicker
	Log   *slog.Logger
	// Connected, where there is one, is told after each look whether the directory could be
	// read. It must not block.
	Connected func(bool)

	// newWatcher stands in for fsnotify's in tests.
	newWatcher func() (*fsnotify.Watcher, error)
}

var _ sidecar.Source = (*Source)(nil)

// Run offers what the files hold, whenever they change, until the context ends. What cannot
// be read is logged once and tried again; the last set stays. It never answers an error.
func (s *Source) Run(ctx context.Context, into *sidecar.Current) error {
	w := s.watch()
	defer w.close()
	ticker := s.Clock.NewTicker(pollEvery)
	defer ticker.Stop()
	var found sidecar.News
	for {
		// First, so that no change falls between the two. A directory that was made anew needs
		// another watch.
		w.renew(s.Dir)
		data, err := s.read()
		switch other := found.Is(err); {
		case other && err != nil:
			s.Log.Warn("The mounted Secret cannot be read, and what was read before stays in use", "error", err)
		case other:
			s.Log.Info("The mounted Secret can be read again", "directory", s.Dir)
		}
		if s.Connected != nil {
			s.Connected(err == nil)
		}
		if set, ok := s.Keys.Set(data, lifetime.Token{}); ok && err == nil {
			into.Offer(set)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		case <-w.events:
			w.drain()
		case err := <-w.failures:
			s.Log.Debug("Events of the mounted Secret may be lost, and it is read", "directory", s.Dir, "error", err)
		}
	}
}

// read reads the files, of which there has to be one.
func (s *Source) read() (map[string][]byte, error) {
	data, err := volume.Read(s.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is not there: mount the Secret there", s.Dir)
	case err == nil && len(data) == 0:
		return nil, fmt.Errorf("%s holds no files: mount the Secret there, and see that it has keys", s.Dir)
	}
	return data, err
}
