package sidecar_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	poll     = 20 * time.Millisecond
	patience = 10 * time.Second
	silence  = time.Second
)

var (
	controlPlane *cluster.Cluster
	// restarted is the API server that a spec has started in place of the first.
	restarted *exec.Cmd
)

func TestSidecar(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Sidecar")
}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(poll)
	SetDefaultConsistentlyDuration(silence)
	SetDefaultConsistentlyPollingInterval(poll)
	EnforceDefaultTimeoutsWhenUsingContexts()

	var err error
	controlPlane, err = cluster.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error {
		if restarted != nil {
			_ = restarted.Process.Kill() // It may have ended by itself.
			_ = restarted.Wait()
		}
		return controlPlane.Stop()
	})
})

// createNamespace makes a namespace for one spec.
func createNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace, err := controlPlane.CreateNamespace(ctx, "sidecar")
	Expect(err).NotTo(HaveOccurred())
	return namespace
}

// killServer ends the API server at once, and answers how to start it again as it was, on
// the same port.
func killServer(ctx context.Context) (start func()) {
	GinkgoHelper()
	pid := controlPlane.PIDs()["kube-apiserver"]
	Expect(pid).NotTo(BeZero())
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	Expect(err).NotTo(HaveOccurred())
	command := strings.Split(strings.TrimRight(string(content), "\x00"), "\x00")
	Expect(syscall.Kill(pid, syscall.SIGKILL)).To(Succeed())
	if restarted != nil {
		_ = restarted.Wait() // It was killed.
	}
	Eventually(ctx, controlPlane.PIDs).ShouldNot(HaveKey("kube-apiserver"))
	return func() {
		GinkgoHelper()
		restarted = exec.Command(command[0], command[1:]...)
		restarted.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		Expect(restarted.Start()).To(Succeed())
	}
}
