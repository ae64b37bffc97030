package lease

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// resource is the name of Leases in URLs.
const resource = "leases"

// store reads and writes one Lease. What others have put into it stays.
type store struct {
	client          rest.Interface
	namespace, name string

	last *coordinationv1.Lease
}

// read reads the Lease; a Record without a Version stands for none.
func (s *store) read(ctx context.Context) (Record, error) {
	lease := &coordinationv1.Lease{}
	err := s.client.Get().Namespace(s.namespace).Resource(resource).Name(s.name).Do(ctx).Into(lease)
	if apierrors.IsNotFound(err) {
		s.last = nil
		return Record{}, nil
	}
	if err != nil {
		return Record{}, err
	}
	s.last = lease
	return record(lease), nil
}

// write puts a holder into the Lease that was read last, or makes one; an empty holder
// gives it back. now is what is written as the time, for people to read. The error is a
// conflict where the Lease has changed since.
func (s *store) write(ctx context.Context, holder string, lasts time.Duration, now time.Time) (Record, error) {
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.name}}
	request := s.client.Post().Namespace(s.namespace).Resource(resource)
	if s.last != nil {
		lease = s.last.DeepCopy()
		request = s.client.Put().Namespace(s.namespace).Resource(resource).Name(s.name)
	}
	spec, at := &lease.Spec, metav1.NewMicroTime(now)
	if holder != "" && (spec.HolderIdentity == nil || *spec.HolderIdentity != holder) {
		spec.AcquireTime = &at
		spec.LeaseTransitions = new(transitions(spec) + 1)
	}
	spec.HolderIdentity, spec.RenewTime = &holder, &at
	spec.LeaseDurationSeconds = new(int32(lasts / time.Second)) //nolint:gosec // Times.check bounds it.
	written := &coordinationv1.Lease{}
	if err := request.Body(lease).Do(ctx).Into(written); err != nil {
		return Record{}, err
	}
	s.last = written
	return record(written), nil
}

func transitions(spec *coordinationv1.LeaseSpec) int32 {
	if spec.LeaseTransitions == nil {
		return -1 // Whoever makes it takes it from nobody.
	}
	return *spec.LeaseTransitions
}

func record(lease *coordinationv1.Lease) Record {
	read := Record{Version: lease.ResourceVersion}
	if lease.Spec.HolderIdentity != nil {
		read.Holder = *lease.Spec.HolderIdentity
	}
	if lease.Spec.LeaseDurationSeconds != nil {
		read.Lasts = time.Duration(*lease.Spec.LeaseDurationSeconds) * time.Second
	}
	return read
}
