package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestOwner: what is written down with each attempt tells this process from all others.
func TestOwner(t *testing.T) {
	t.Parallel()
	o := newOptions()
	environment := map[string]string{"POD_NAMESPACE": "tokensync-system", "POD_NAME": "operator-0", "POD_UID": "uid"}
	if err := o.complete(func(variable string) string { return environment[variable] }); err != nil {
		t.Fatal(err)
	}
	first, again := owner(o), owner(o)
	if first.Namespace != "tokensync-system" || first.Pod != "operator-0" || first.UID != "uid" || first.PID != os.Getpid() || first.Host == "" {
		t.Errorf("got %+v", first)
	}
	if first.Boot == "" || first.Boot == again.Boot {
		t.Errorf("two starts are both called %q", first.Boot)
	}
	if !again.Succeeds(first) {
		t.Error("the container that follows does not know that the one before is gone")
	}
}

func TestProcessIsGone(t *testing.T) {
	t.Parallel()
	if processIsGone(os.Getpid()) {
		t.Error("this process is taken for dead")
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if !processIsGone(child.Process.Pid) {
		t.Error("a process that has ended is taken for alive")
	}
}

// namespaces answers the first namespace of a cluster, or an error.
type namespaces struct {
	client.Reader

	uid types.UID
	err error
}

func (n namespaces) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	if _, metadata := object.(*metav1.PartialObjectMetadata); !metadata || key.Name != "kube-system" || key.Namespace != "" {
		return errors.New("asked for something else")
	}
	object.SetUID(n.uid)
	return n.err
}

func TestClusterUID(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "kube-system", errors.New("no"))
	away := errors.New("the server is away")
	for name, test := range map[string]struct {
		reader namespaces
		want   string
		err    error
	}{
		"with rights over the cluster": {namespaces{uid: "uid"}, "uid", nil},
		"without":                      {namespaces{err: forbidden}, "", nil},
		// Not to know it by mistake would let a copy of a grant be spent.
		"while the server is away": {namespaces{err: away}, "", away},
	} {
		got, err := clusterUID(t.Context(), test.reader)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
