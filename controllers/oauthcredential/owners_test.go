package oauthcredential

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/internal/grant"
)

// podsReader knows one pod, or answers an error.
type podsReader struct {
	client.Reader

	uid   types.UID
	err   error
	asked client.ObjectKey
}

func (r *podsReader) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	r.asked = key
	if pod, ok := object.(*metav1.PartialObjectMetadata); !ok || pod.Kind != "Pod" {
		return errors.New("asked for something else than the metadata of a pod")
	}
	object.SetUID(r.uid)
	return r.err
}

// TestWhoseAttemptsMayBeTakenOver: two that send one refresh token end it for both, so
// only who is provably dead is not waited for.
func TestWhoseAttemptsMayBeTakenOver(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	gone := apierrors.NewNotFound(pods, "b")
	forbidden := apierrors.NewForbidden(pods, "b", errors.New("no"))
	inPod := grant.Owner{Namespace: "system", Pod: "a", UID: "uid-a", Host: "a", PID: 1, Boot: "boot-a"}
	outside := grant.Owner{Host: "laptop", PID: 7, Boot: "boot-a"}
	other := grant.Owner{Namespace: "system", Pod: "b", UID: "uid-b", Host: "b", PID: 1, Boot: "boot-b"}
	for name, test := range map[string]struct {
		own, owner grant.Owner
		reader     podsReader
		dead       bool // the process of that id
		want       bool
	}{
		"one's own":                                 {inPod, inPod, podsReader{uid: "uid-a"}, false, true},
		"that of the container before":              {inPod, grant.Owner{Pod: "a", UID: "uid-a", Boot: "boot-b"}, podsReader{uid: "uid-a"}, false, true},
		"that of a pod that lives":                  {inPod, other, podsReader{uid: "uid-b"}, true, false},
		"that of a pod that is gone":                {inPod, other, podsReader{err: gone}, false, true},
		"that of a pod before one of the same name": {inPod, other, podsReader{uid: "uid-c"}, false, true},
		"that of a pod that may not be looked at":   {inPod, other, podsReader{err: forbidden}, true, false},
		"that of a pod while the server is away":    {inPod, other, podsReader{err: errors.New("away")}, true, false},
		"that of a pod, seen from a laptop":         {outside, other, podsReader{uid: "uid-b"}, true, false},
		"that of the process before":                {outside, grant.Owner{Host: "laptop", PID: 7, Boot: "boot-b"}, podsReader{err: gone}, false, true},
		"that of a process that lives":              {outside, grant.Owner{Host: "laptop", PID: 8, Boot: "boot-b"}, podsReader{err: gone}, false, false},
		"that of a process that has ended":          {outside, grant.Owner{Host: "laptop", PID: 8, Boot: "boot-b"}, podsReader{err: gone}, true, true},
		"that of a process of another host":         {outside, grant.Owner{Host: "desk", PID: 8, Boot: "boot-b"}, podsReader{err: gone}, true, false},
		"that of a process, seen from a pod":        {inPod, outsideOf(outside, "boot-b"), podsReader{err: gone}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{Owner: test.own, APIReader: &test.reader, ProcessIsGone: func(int) bool { return test.dead }}
			if got := r.orphaned(t.Context(), test.owner); got != test.want {
				t.Errorf("taken over: %t, want %t", got, test.want)
			}
			if asked := test.reader.asked; asked.Name != "" && (asked.Namespace != "system" || asked.Name != "b") {
				t.Errorf("asked for the pod %s", asked)
			}
		})
	}
	r := &Reconciler{Owner: outside}
	if r.orphaned(t.Context(), grant.Owner{Host: "laptop", PID: 8, Boot: "boot-b"}) {
		t.Error("whose process cannot be asked after is taken for dead")
	}
}

// outsideOf is an owner after another start.
func outsideOf(owner grant.Owner, boot string) grant.Owner {
	owner.Boot = boot
	return owner
}
