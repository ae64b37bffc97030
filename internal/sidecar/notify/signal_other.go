//go:build !linux

package notify

func newSignaler(Options) (func() attempt, error) { return nil, ErrUnsupported }
