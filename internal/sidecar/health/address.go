package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

// Off is the address at which nothing is served.
const Off = "0"

// unixPrefix begins the address of a Unix socket.
const unixPrefix = "unix:"

// Split reads an address: host and port, where the host may be missing, or `unix:` and a
// path. The network is `tcp` or `unix`, and empty for Off. The error says what is right.
func Split(address string) (network, target string, err error) {
	if address == Off {
		return "", "", nil
	}
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		if !filepath.IsAbs(path) {
			return "", "", errors.New("must have an absolute path after unix:, such as unix:/run/tokensync/health.sock")
		}
		return "unix", path, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err == nil && host != "" && net.ParseIP(host) == nil && host != "localhost" {
		err = errors.New("a name")
	}
	if number, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || number == 0 {
		return "", "", fmt.Errorf("must be an address such as :9808, 127.0.0.1:9808 or unix:/path, or %s for none", Off)
	}
	return "tcp", address, nil
}

// Listen opens an address, which is not Off, and replaces a Unix socket that was left
// behind. flag is the setting that the address came from, which errors name.
func Listen(ctx context.Context, flag, address string) (net.Listener, error) {
	network, target, err := Split(address)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", flag, address, err)
	}
	if network == "unix" {
		socket, err := loopback.Parse(flag, address)
		if err != nil {
			return nil, err
		}
		return socket.Listen(ctx)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, network, target)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", flag, address, err)
	}
	return listener, nil
}
