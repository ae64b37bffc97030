package mount

import (
	"errors"
	"io/fs"
	"log/slog"

	"github.com/fsnotify/fsnotify"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// watch tells that something has changed in a directory. Without a watcher, as where the
// node has no inotify instance left, it never tells anything.
type watch struct {
	log      *slog.Logger
	watcher  *fsnotify.Watcher
	events   <-chan fsnotify.Event
	failures <-chan error
	trouble  sidecar.News
}

func (s *Source) watch() *watch {
	w := &watch{log: s.Log}
	create := fsnotify.NewWatcher
	if s.newWatcher != nil {
		create = s.newWatcher
	}
	watcher, err := create()
	w.note(err)
	if err == nil {
		w.watcher, w.events, w.failures = watcher, watcher.Events, watcher.Errors
	}
	return w
}

// renew watches a directory, also where another one of that name was watched before.
func (w *watch) renew(directory string) {
	if w.watcher == nil {
		return
	}
	// That there is no such directory is told where it is read.
	if err := w.watcher.Add(directory); !errors.Is(err, fs.ErrNotExist) {
		w.note(err)
	}
}

func (w *watch) note(err error) {
	switch other := w.trouble.Is(err); {
	case other && err != nil:
		w.log.Warn("The mounted Secret is not watched, and only read now and then", "every", pollEvery, "error", err)
	case other:
		w.log.Info("The mounted Secret is watched again")
	}
}

// drain forgets the events that are there: one swap makes several.
func (w *watch) drain() {
	for {
		select {
		case <-w.events:
		default:
			return
		}
	}
}

func (w *watch) close() {
	if w.watcher != nil {
		_ = w.watcher.Close() // It was only read from.
	}
}
