package notify

import (
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// childVariable tells a process that it is the app of a test.
const childVariable = "NOTIFY_TEST_CHILD"

// counter counts notifications.
type counter struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *counter) Notified(kind string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	if err != nil {
		kind += " failed"
	}
	c.seen[kind]++
}

func (c *counter) count(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[kind]
}
