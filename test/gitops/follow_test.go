package gitops

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/clusterreader"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/engine"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/event"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/statusreaders"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/cli-utils/pkg/object"

	"github.com/tokensync/tokensync/test/eventually"
)

// history is what somebody who waits is told of an object, in order.
type history struct {
	mu       sync.Mutex
	statuses []status.Status
	err      error
}

// follow polls the object of a kind, as Flux does while it waits, until the test ends.
func (s *stage) follow(kind string) *history {
	mapper := s.cluster.Client.RESTMapper()
	poller := &engine.PollerEngine{
		Reader:               s.cluster.Client,
		Mapper:               mapper,
		DefaultStatusReader:  statusreaders.NewGenericStatusReader(mapper, status.Compute),
		ClusterReaderFactory: engine.ClusterReaderFactoryFunc(clusterreader.NewCachingClusterReader),
	}
	id := object.UnstructuredToObjMetadata(s.object(kind))
	events := poller.Poll(s.t.Context(), object.ObjMetadataSet{id}, engine.Options{PollInterval: 50 * time.Millisecond})
	h := &history{}
	go func() {
		for e := range events {
			h.add(e)
		}
	}()
	return h
}

// add notes what is new.
func (h *history) add(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case e.Error != nil:
		h.err = e.Error
	case e.Resource != nil && e.Resource.Error != nil:
		h.err = e.Resource.Error
	case e.Resource != nil && (len(h.statuses) == 0 || h.statuses[len(h.statuses)-1] != e.Resource.Status):
		h.statuses = append(h.statuses, e.Resource.Status)
	}
}

// await waits until the history ends so, and fails when it is another one.
func (h *history) await(t *testing.T, want ...status.Status) {
	t.Helper()
	eventually.Holds(t, "somebody who waits was told of "+string(want[len(want)-1]), func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.err != nil {
			t.Fatal(h.err)
		}
		if len(h.statuses) > len(want) || !slices.Equal(h.statuses, want[:len(h.statuses)]) {
			t.Fatalf("got %v, want %v", h.statuses, want)
		}
		return len(h.statuses) == len(want)
	})
}

// Whoever polls is never told of a token too early: not before the first, nor between an
// edit and the token for it, nor of one that is being revoked.
func TestWaitingByPolls(t *testing.T) {
	t.Parallel()
	const while = 1500 * time.Millisecond
	s := newStage(t, 0)
	h := s.follow("OAuthCredential")
	told := []status.Status{status.NotFoundStatus}
	h.await(t, told...)

	s.slow(while)
	s.password("acme-password")
	s.declare("revocationPolicy: OnDelete")
	told = append(told, status.InProgressStatus, status.CurrentStatus)
	h.await(t, told...)
	s.issued(1)

	s.edit("OAuthCredential", "spec: {scopes: [write]}")
	told = append(told, status.InProgressStatus, status.CurrentStatus)
	h.await(t, told...)
	s.issued(2)

	s.remove("OAuthCredential")
	told = append(told, status.TerminatingStatus, status.NotFoundStatus)
	h.await(t, told...)
}
