package sidecar_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// appVariable tells a process of this binary that it is the app of a spec.
const appVariable = "SIDECAR_TEST_APP"

func TestMain(m *testing.M) {
	if os.Getenv(appVariable) != "" {
		runApp()
		return
	}
	os.Exit(m.Run())
}

// runApp is an app that prints a line for each signal, until its input ends.
func runApp() {
	received := make(chan os.Signal, 16)
	signal.Notify(received, syscall.SIGUSR1)
	fmt.Println("ready") //nolint:forbidigo // This is how it speaks to the spec.
	go func() {
		for range received {
			fmt.Println("signal") //nolint:forbidigo // This is how it speaks to the spec.
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1)) // It ends with the spec.
}

// app is such a process.
type app struct {
	pidFile string
	lines   atomic.Int64
}

// startApp starts one that runs until the spec ends, and waits until it minds signals.
func startApp() *app {
	GinkgoHelper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), appVariable+"=1")
	input, err := command.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	output, err := command.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(command.Start()).To(Succeed())
	a, read := &app{pidFile: filepath.Join(GinkgoT().TempDir(), "pid")}, make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			a.lines.Add(1)
		}
	}()
	DeferCleanup(func() {
		Expect(input.Close()).To(Succeed())
		<-read
		Expect(command.Wait()).To(Succeed())
	})
	Eventually(a.lines.Load).Should(BeEquivalentTo(1))
	Expect(os.WriteFile(a.pidFile, []byte(strconv.Itoa(command.Process.Pid)), 0o600)).To(Succeed())
	return a
}

// signals is how many it got.
func (a *app) signals() int { return int(a.lines.Load()) - 1 }

// hook is an HTTP hook that counts.
type hook struct {
	*httptest.Server

	requests atomic.Int64
}

func newHook() *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			h.requests.Add(1)
		}
	}))
	DeferCleanup(h.Close)
	return h
}

func (h *hook) count() int { return int(h.requests.Load()) }
