//go:build !linux

package notify

import (
	"errors"
	"testing"
)

// child is never started.
func child() {}

func TestNoSignals(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{Signal: "HUP", Process: "x"}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
