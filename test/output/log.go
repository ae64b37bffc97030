// Package output keeps what programs print, for tests that read it meanwhile.
package output

import (
	"bytes"
	"sync"
)

// Log keeps what is printed or logged. It is safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.content.Write(p)
}

// String answers all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.content.String()
}
