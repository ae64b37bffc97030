package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

const (
	probeTimeout = 5 * time.Second
	// maxSentence is more than /readyz ever answers.
	maxSentence = 4 << 10
)

// Probe asks the sidecar that serves health at an address whether it is ready. The error
// is what it says is missing, or why it cannot be asked.
func Probe(ctx context.Context, address string) error {
	network, target, err := dialed(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, target)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/readyz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the sidecar at %s: %w", address, errors.Unwrap(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	sentence, err := io.ReadAll(io.LimitReader(response.Body, maxSentence))
	if err != nil {
		return fmt.Errorf("read the answer of the sidecar at %s: %w", address, err)
	}
	return fmt.Errorf("not ready: %s", redact.Message(string(sentence)))
}

// dialed is where to ask who listens at an address.
func dialed(address string) (network, target string, err error) {
	network, target, err = Split(address)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("%s: %w", address, err)
	case network == "":
		return "", "", fmt.Errorf("nobody can be asked at the health address %s, which turns it off", address)
	case network == "unix":
		return network, target, nil
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return "", "", err
	}
	// Whoever listens at all addresses does so at that of loopback, too, also where they
	// are those of IPv6.
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return network, net.JoinHostPort(host, port), nil
}
