package sidecar_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// haltOnRace ends a process where it has met a data race, and else without the second that
// the race detector would wait at the end.
const haltOnRace = "GORACE=halt_on_error=1 atexit_sleep_ms=0"

// sidecarBinary and operatorBinary are built by the first spec that needs them.
var sidecarBinary, operatorBinary string

// agent is a sidecar as a process, with a directory for its files.
type agent struct {
	*operator.Process

	directory string
	options   operator.Options
	log       *output.Log
}

// newAgent makes one that has yet to be started, and that ends with the spec.
func newAgent(ctx context.Context, arguments ...string) *agent {
	GinkgoHelper()
	if sidecarBinary == "" {
		var err error
		sidecarBinary, err = operator.BuildSidecar(ctx, "tokensync-sidecar-race", "-race")
		Expect(err).NotTo(HaveOccurred())
	}
	a := &agent{directory: memory(), log: &output.Log{}}
	a.options = operator.Options{
		Binary: sidecarBinary, Arguments: append([]string{"--output-dir=" + a.directory}, arguments...),
		Environment: []string{haltOnRace}, Log: a.log,
	}
	DeferCleanup(func() {
		if a.Process != nil {
			Expect(a.Stop()).To(Succeed())
		}
		AddReportEntry("what the sidecar said", a.log.String(), ReportEntryVisibilityFailureOrVerbose)
		Expect(a.log.String()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
	})
	return a
}

// startAgent starts a sidecar that runs until the spec ends.
func startAgent(ctx context.Context, arguments ...string) *agent {
	GinkgoHelper()
	a := newAgent(ctx, arguments...)
	a.start(ctx)
	return a
}

// start starts it, for the first time or again.
func (a *agent) start(ctx context.Context) {
	GinkgoHelper()
	process, err := operator.StartSidecar(ctx, a.options)
	Expect(err).NotTo(HaveOccurred(), "%s", a.log)
	a.Process = process
}

// memory is a directory in memory where there is such a thing, as the volumes are that hold
// tokens. To sync to a disk would take most of the time.
func memory() string {
	GinkgoHelper()
	directory, err := os.MkdirTemp("/dev/shm", "tokensync-sidecar-")
	if err != nil {
		return GinkgoT().TempDir()
	}
	DeferCleanup(os.RemoveAll, directory)
	return directory
}

// ended is a process that has ended by itself: its exit code, and what it said.
type ended struct {
	code int
	said string
}

// job is a process that is expected to end by itself.
type job struct {
	command *exec.Cmd
	log     *output.Log
	done    chan struct{}
}

// startJob starts a sidecar with an environment of its own, and nothing else.
func startJob(ctx context.Context, environment []string, arguments ...string) *job {
	GinkgoHelper()
	binary := newAgent(ctx).options.Binary
	j := &job{command: exec.Command(binary, arguments...), log: &output.Log{}, done: make(chan struct{})}
	j.command.Env = append([]string{haltOnRace}, environment...)
	j.command.Stdout, j.command.Stderr = j.log, j.log
	j.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	Expect(j.command.Start()).To(Succeed())
	go func() {
		_ = j.command.Wait() // The state tells.
		close(j.done)
	}()
	DeferCleanup(func() {
		_ = j.command.Process.Kill() // It may have ended.
		<-j.done
		Expect(j.log.String()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
	})
	return j
}

// running tells whether it has not ended yet.
func (j *job) running() bool {
	select {
	case <-j.done:
		return false
	default:
		return true
	}
}

// end waits until it has ended by itself.
func (j *job) end(ctx context.Context) ended {
	GinkgoHelper()
	Eventually(ctx, j.running).Should(BeFalse(), "%s", j.log)
	return ended{code: j.command.ProcessState.ExitCode(), said: j.log.String()}
}

// readiness is what /readyz answers, such as `200 ok`.
func (a *agent) readiness(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(a.HealthURL, "healthz")+"readyz", http.NoBody)
	if err != nil {
		return "", err
	}
	return exchange(http.DefaultClient, request)
}

// ready is the readiness of one that is.
const ready = "200 ok"

// exchange makes a request, and answers status and body in one line.
func exchange(client *http.Client, request *http.Request) (string, error) {
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	return strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, body)), errors.Join(err, response.Body.Close())
}

// metric is the value of a metric, which is named with its labels.
func (a *agent) metric(name string) func(context.Context) string {
	return func(ctx context.Context) string {
		text, err := a.Metrics(ctx)
		if err != nil {
			return err.Error()
		}
		for line := range strings.Lines(text) {
			if value, found := strings.CutPrefix(line, "tokensync_sidecar_"+name+" "); found {
				return strings.TrimSpace(value)
			}
		}
		return "absent"
	}
}

// expiry is when the token expires, as the metrics say.
func (a *agent) expiry(ctx context.Context) time.Time {
	GinkgoHelper()
	seconds, err := strconv.ParseFloat(a.metric("token_expires_at_seconds")(ctx), 64)
	Expect(err).NotTo(HaveOccurred())
	return time.Unix(int64(seconds), 0)
}

// unixClient speaks HTTP to a Unix socket.
func unixClient(socket string) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	DeferCleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// freePort is a port of 127.0.0.1 that nobody listens at. It is none of those that the
// system gives to connections, so that it stays free.
func freePort() string {
	GinkgoHelper()
	const first, count = 10_000, 20_000
	for try := range count {
		address := fmt.Sprintf("127.0.0.1:%d", first+(os.Getpid()*7+try)%count)
		if listener, err := net.Listen("tcp", address); err == nil {
			Expect(listener.Close()).To(Succeed())
			return address
		}
	}
	Fail("no port is free")
	return ""
}

// generation is what ..data leads to, and what tells it from one of the same name.
func (a *agent) generation() (string, error) {
	target, err := os.Readlink(filepath.Join(a.directory, "..data"))
	if err != nil {
		return "", err
	}
	info, err := os.Stat(filepath.Join(a.directory, target))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, inode %d, %s", target, info.Sys().(*syscall.Stat_t).Ino, info.ModTime()), nil
}
