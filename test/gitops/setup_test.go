package gitops

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"
)

// started is the control plane with an operator beside it, once a test has asked for
// them: those that only run a script do not wait for them.
var started struct {
	once    sync.Once
	cluster *cluster.Cluster
	process *operator.Process
	log     output.Log
	err     error
}

func TestMain(m *testing.M) {
	m.Run() // its result becomes the exit code when TestMain returns
	var errs []error
	if started.process != nil {
		errs = append(errs, started.process.Stop())
	}
	if started.cluster != nil {
		errs = append(errs, started.cluster.Stop())
	}
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
}

// controlPlane is a real API server, with the operator at work beside it.
func controlPlane(t *testing.T) *cluster.Cluster {
	t.Helper()
	started.once.Do(func() { started.err = start(t) })
	if started.err != nil {
		t.Fatal(started.err)
	}
	t.Cleanup(func() {
		if !started.process.Running() {
			t.Errorf("the operator ended by itself:\n%s", &started.log)
		}
	})
	return started.cluster
}

func start(t *testing.T) error {
	t.Helper()
	binary, err := operator.Build(t.Context(), "tokensync-operator-plain")
	if err != nil {
		return err
	}
	if started.cluster, err = cluster.Start(); err != nil {
		return err
	}
	namespace, err := started.cluster.CreateNamespace(t.Context(), "operator")
	if err != nil {
		return err
	}
	started.process, err = operator.Start(t.Context(), operator.Options{
		Binary:      binary,
		Kubeconfig:  started.cluster.Kubeconfig,
		Arguments:   []string{"--leader-elect=false"},
		Environment: []string{"POD_NAMESPACE=" + namespace},
		Log:         &started.log,
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, &started.log)
	}
	return nil
}

// read reads a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(cluster.Root(), filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
