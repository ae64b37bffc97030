// Package operator runs the operator, and the sidecar, as processes of their own, for
// tests, the demo and the benchmark: so that they can be killed like ones.
package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Options say how to run the operator.
type Options struct {
	// Binary is the path of the binary.
	Binary string
	// Kubeconfig is the path of a kubeconfig file.
	Kubeconfig string
	// Arguments are added to those that make it fit a test: loopback and plain HTTP
	// are allowed.
	Arguments []string
	// Environment is added to the environment of the process.
	Environment []string
	// Log takes what the operator prints.
	Log io.Writer
}

// Process is a running operator or sidecar.
type Process struct {
	// MetricsURL and HealthURL are where it serves its metrics and its health.
	MetricsURL, HealthURL string

	command *exec.Cmd
	done    chan struct{}
	err     error
}

// Start starts the operator and waits until it answers its health check.
func Start(ctx context.Context, o Options) (*Process, error) {
	addresses, err := FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	metrics, health := addresses[0], addresses[1]
	arguments := append([]string{
		"--kubeconfig=" + o.Kubeconfig,
		"--metrics-bind-address=" + metrics,
		"--health-probe-bind-address=" + health,
		"--egress-allow-cidr=127.0.0.0/8,::1/128",
		"--allow-insecure-http",
	}, o.Arguments...)
	p := &Process{MetricsURL: "http://" + metrics + "/metrics", HealthURL: "http://" + health + "/readyz"}
	if err := p.start(ctx, o, arguments); err != nil {
		return nil, err
	}
	return p, nil
}

// start starts the process, and waits until it answers its health check.
func (p *Process) start(ctx context.Context, o Options, arguments []string) error {
	// Not CommandContext: a test that ends stops the process itself.
	p.command, p.done = exec.Command(o.Binary, arguments...), make(chan struct{})
	p.command.Stdout, p.command.Stderr = o.Log, o.Log
	p.command.Env = append(os.Environ(), o.Environment...)
	// It must not outlive a test binary that is killed.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", o.Binary, err)
	}
	go func() {
		p.err = p.command.Wait()
		close(p.done)
	}()
	if err := p.waitUntilHealthy(ctx); err != nil {
		return errors.Join(err, p.Kill())
	}
	return nil
}

func (p *Process) waitUntilHealthy(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.HealthURL, http.NoBody)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ticker.C:
		case <-p.done:
			return fmt.Errorf("the process ended by itself: %w", p.err)
		case <-ctx.Done():
			return fmt.Errorf("the process does not answer: %w", ctx.Err())
		}
	}
}

// PID is the process's id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Running tells whether the process runs.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Kill ends the process by SIGKILL and waits until it is gone.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL) }

// Stop ends the process by SIGTERM and waits until it is gone.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

func (p *Process) end(signal syscall.Signal) error {
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}

// Wait waits until the process has ended by itself, and answers how.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Metrics reads the metrics of the process.
func (p *Process) Metrics(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.MetricsURL, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the metrics answer %s", response.Status)
	}
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// FreeAddresses finds loopback addresses that nobody listens on. Until a process that is
// started does, the port is anybody's, be it for a connection: so the host is one that only
// this process uses, out of 127.64.0.0/10, in which there is one for each process id.
func FreeAddresses(number int) ([]string, error) {
	pid := os.Getpid()
	host := fmt.Sprintf("127.%d.%d.%d:0", 64|pid>>16&63, pid>>8&255, pid&255)
	var (
		addresses []string
		listeners []net.Listener
	)
	// Not before all are found, so that they differ.
	defer func() {
		for _, listener := range listeners {
			_ = listener.Close()
		}
	}()
	for range number {
		listener, err := net.Listen("tcp", host)
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, listener)
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
