package loopback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	unixPrefix = "unix:"
	// maxPath is what fits into the address of a Unix socket, in bytes: the shortest of
	// the systems that we build for, without the zero at its end.
	maxPath = 103
	// socketMode lets the user and the group of the process in, and nobody else.
	socketMode = 0o660
)

// Address is where tokens are served: a TCP port of the loopback interface, or a Unix
// socket.
type Address struct {
	// flag is the name of the setting, for messages.
	flag            string
	network, target string
}

// Parse reads an address: `127.0.0.1:PORT`, `[::1]:PORT`, `localhost:PORT` (which is
// 127.0.0.1, whatever the name leads to in this pod) or `unix:/path`. The error names the
// flag and its value.
func Parse(flag, value string) (Address, error) {
	if path, ok := strings.CutPrefix(value, unixPrefix); ok {
		return parsePath(flag, path)
	}
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		return Address{}, invalid(flag, value)
	}
	switch host {
	case "localhost":
		host = "127.0.0.1"
	case "127.0.0.1", "::1":
	default:
		return Address{}, invalid(flag, value)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return Address{}, fmt.Errorf("%s is %q: the port has to be a number from 1 to 65535", flag, value)
	}
	return Address{flag: flag, network: "tcp", target: net.JoinHostPort(host, strconv.FormatUint(number, 10))}, nil
}

func invalid(flag, value string) error {
	return fmt.Errorf("%s is %q: tokens are served to this pod alone, so it has to be 127.0.0.1:PORT, [::1]:PORT, "+
		"localhost:PORT or unix:/path", flag, value)
}

func parsePath(flag, path string) (Address, error) {
	switch {
	case !filepath.IsAbs(path), filepath.Clean(path) != path, path == "/", strings.ContainsRune(path, 0):
		return Address{}, fmt.Errorf("%s is %q: behind unix: there has to be the absolute path of the socket, "+
			"such as unix:/run/tokensync/token.sock", flag, unixPrefix+path)
	case len(path) > maxPath:
		return Address{}, fmt.Errorf("%s is %q: the path of a Unix socket has at most %d bytes", flag, unixPrefix+path, maxPath)
	}
	return Address{flag: flag, network: "unix", target: path}, nil
}

// IsUnix tells whether the address is a Unix socket.
func (a Address) IsUnix() bool { return a.network == "unix" }

// String is the address as Parse reads it.
func (a Address) String() string {
	if a.IsUnix() {
		return unixPrefix + a.target
	}
	return a.target
}

// Listen listens there. A Unix socket that a process left behind is replaced; that of a
// living one is not, and neither is a file of another kind. The socket is open to user
// and group (0660), and is removed when the listener is closed.
func (a Address) Listen(ctx context.Context) (net.Listener, error) {
	if a.IsUnix() {
		if err := a.clear(ctx); err != nil {
			return nil, err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, a.network, a.target)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.flag, err)
	}
	if !a.IsUnix() {
		return listener, nil
	}
	if err := os.Chmod(a.target, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", a.flag, err), listener.Close())
	}
	return listener, nil
}

// clear removes a socket on which nobody listens any more.
func (a Address) clear(ctx context.Context) error {
	info, err := os.Lstat(a.target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", a.flag, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s: %s exists and is not a socket: remove it, or choose another path", a.flag, a.target)
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, a.network, a.target)
	if err == nil {
		return errors.Join(fmt.Errorf("%s: another process listens on %s: end it, or choose another path",
			a.flag, a.target), connection.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s: %w", a.flag, err)
	}
	if err := os.Remove(a.target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", a.flag, err)
	}
	return nil
}
