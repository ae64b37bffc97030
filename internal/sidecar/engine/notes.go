package engine

import "log/slog"

// notes logs a trouble once, however often it is met, and its end.
type notes struct {
	log       *slog.Logger
	bad, good string
	last      string
}

func (n *notes) note(err error) {
	switch {
	case err == nil && n.last != "":
		n.last = ""
		n.log.Info(n.good) //nolint:sloglint // One of two constants of the caller.
	case err != nil && n.last != err.Error():
		n.last = err.Error()
		n.log.Warn(n.bad, "error", err) //nolint:sloglint // One of two constants of the caller.
	}
}
