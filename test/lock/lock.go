// Package lock keeps the processes of several test suites out of each other's way.
package lock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// File takes a lock between processes, and waits for whoever holds it. The file is made,
// and stays. The lock goes away with the process.
func File(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil // closing unlocks, and was only read
}
