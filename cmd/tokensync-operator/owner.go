package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/internal/grant"
)

// owner tells this process from all others, and those that are dead from those that
// may be alive.
func owner(o *options) grant.Owner {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return grant.Owner{
		Namespace: o.namespace, Pod: o.podName, UID: o.podUID,
		Host: host, PID: os.Getpid(), Boot: rand.Text(),
	}
}

// processIsGone tells whether a process of this host is no more.
func processIsGone(pid int) bool {
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// clusterUID identifies the cluster: the UID of its first namespace, empty where this
// process may not see that.
func clusterUID(ctx context.Context, reader client.Reader) (string, error) {
	namespace := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
	err := reader.Get(ctx, types.NamespacedName{Name: metav1.NamespaceSystem}, namespace)
	if apierrors.IsForbidden(err) {
		return "", nil
	}
	return string(namespace.UID), err
}
