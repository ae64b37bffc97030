package engine

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// pollEvery is how often all files are read besides the watch, which can be lost, or not be
// had where the node has no inotify instance left.
const pollEvery = 30 * time.Second

// watch tells that a file may have changed. It watches directories: the kubelet replaces
// links in them, and the files that those lead to never change.
type watch struct {
	engine  *Engine
	watcher *fsnotify.Watcher
	trouble sidecar.News
}

func (e *Engine) watch() *watch {
	w := &watch{engine: e}
	watcher, err := fsnotify.NewWatcher()
	w.note(err)
	if err == nil {
		w.watcher = watcher
	}
	return w
}

// follow watches directories, also where others of their names were watched before. It is
// called before they are read, so that no change falls between the two.
func (w *watch) follow(directories []string) {
	if w.watcher == nil {
		return
	}
	var trouble error
	for _, directory := range directories {
		err := w.watcher.Add(directory)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fsnotify.ErrClosed) {
			trouble = err
		}
	}
	w.note(trouble)
}

func (w *watch) note(err error) {
	switch other := w.trouble.Is(err); {
	case other && err != nil:
		w.engine.options.Log.Warn("Not all files are watched, and they are only read now and then", "every", pollEvery, "error", err)
	case other:
		w.engine.options.Log.Info("All files are watched again")
	}
}

// run has the loop look again whenever something may have changed.
func (w *watch) run(ctx context.Context) {
	ticker := w.engine.options.Clock.NewTicker(pollEvery)
	defer ticker.Stop()
	var (
		events <-chan fsnotify.Event
		lost   <-chan error
	)
	if w.watcher != nil {
		defer func() { _ = w.watcher.Close() }() // It was only read from.
		events, lost = w.watcher.Events, w.watcher.Errors
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		case <-events:
		case <-lost: //nolint:errcheck // Events may be lost, so the files are read.
		}
		w.engine.nudge()
	}
}
