// Package eventually waits in plain tests for what somebody else brings about.
package eventually

import (
	"testing"
	"time"
)

const (
	// patience is far more than a loaded machine needs.
	patience = time.Minute
	pause    = 20 * time.Millisecond
)

// Holds waits until a condition does, and fails the test when there is no such time. What
// completes "there was no time at which".
func Holds(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("in %s there was no time at which %s", patience, what)
		}
	}
}
