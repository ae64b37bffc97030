package lease

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/tokensync/tokensync/internal/sidecar/kube"
)

// server is an API server that keeps Leases, at the end of a network that may be bad.
type server struct {
	mu      sync.Mutex
	leases  map[string]*coordinationv1.Lease
	version int
	// writes counts what was written.
	writes int
	// weather is what happens to a request: how long it takes there and back, and whether
	// either way loses it.
	weather func() (there, back time.Duration, lostThere, lostBack bool)
}

func newServer() *server {
	return &server{
		leases: map[string]*coordinationv1.Lease{},
		weather: func() (time.Duration, time.Duration, bool, bool) {
			return time.Millisecond, time.Millisecond, false, false
		},
	}
}

// storm is a network in which little is certain.
func storm(rand *rand.Rand, loss float64, delay time.Duration) func() (time.Duration, time.Duration, bool, bool) {
	var mu sync.Mutex
	return func() (time.Duration, time.Duration, bool, bool) {
		mu.Lock()
		defer mu.Unlock()
		length := func() time.Duration {
			// Mostly short, at times much longer than anybody waits.
			return time.Duration(rand.ExpFloat64() * float64(delay))
		}
		return length(), length(), rand.Float64() < loss, rand.Float64() < loss
	}
}

// turn changes the weather.
func (s *server) turn(weather func() (there, back time.Duration, lostThere, lostBack bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather = weather
}

// outage loses everything.
func outage() (there, back time.Duration, lostThere, lostBack bool) { return 0, 0, true, true }

// client is a client whose requests go through the network of the server.
func (s *server) client() *kube.Client {
	client, err := kube.New(&rest.Config{Host: "http://server", QPS: -1, Transport: s}, "namespace", "test")
	if err != nil {
		panic(err)
	}
	return client
}

// RoundTrip implements http.RoundTripper. What is sent arrives, unless it is lost, whether
// or not the sender still waits.
func (s *server) RoundTrip(request *http.Request) (*http.Response, error) {
	var content []byte
	if request.Body != nil {
		content, _ = io.ReadAll(request.Body)
		_ = request.Body.Close()
	}
	s.mu.Lock()
	there, back, lostThere, lostBack := s.weather()
	s.mu.Unlock()
	answers := make(chan answer, 1)
	if !lostThere {
		go func() {
			time.Sleep(there)
			answer := s.answer(request.Method, path.Base(request.URL.Path), content)
			time.Sleep(back)
			if !lostBack {
				answers <- answer
			}
		}()
	}
	select {
	case answer := <-answers:
		return &http.Response{
			StatusCode: answer.status,
			Header:     http.Header{"Content-Type": {"application/json"}},
			Body:       io.NopCloser(bytes.NewReader(answer.content)),
		}, nil
	case <-request.Context().Done():
		return nil, errors.Join(errors.New("lost in the network"), request.Context().Err())
	}
}

func (s *server) answer(method, name string, content []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := &coordinationv1.Lease{}
	if method != http.MethodGet {
		if err := json.Unmarshal(content, lease); err != nil {
			panic(err)
		}
		name = lease.Name
	}
	kept := s.leases[name]
	switch {
	case method == http.MethodPost && kept != nil:
		return respond(http.StatusConflict, &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonAlreadyExists})
	case method != http.MethodPost && kept == nil:
		return respond(http.StatusNotFound, &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound})
	case method == http.MethodPut && kept.ResourceVersion != lease.ResourceVersion:
		return respond(http.StatusConflict, &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonConflict})
	case method == http.MethodGet:
		return respond(http.StatusOK, kept)
	}
	s.version++
	s.writes++
	lease.ResourceVersion = strconv.Itoa(s.version)
	s.leases[name] = lease
	return respond(http.StatusOK, lease)
}

// remove deletes a Lease.
func (s *server) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.leases, name)
}

// copy takes over what another server keeps.
func (s *server) copy(other *server) {
	other.mu.Lock()
	leases := maps.Clone(other.leases)
	other.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases = leases
}

// written is how often something was written.
func (s *server) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// holder is the name in the Lease.
func (s *server) holder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lease := s.leases["lease"]; lease != nil && lease.Spec.HolderIdentity != nil {
		return *lease.Spec.HolderIdentity
	}
	return ""
}

// answer is what a server answers.
type answer struct {
	status  int
	content []byte
}

func respond(status int, object runtime.Object) answer {
	switch object := object.(type) {
	case *metav1.Status:
		object.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		object.Code = int32(status)
	case *coordinationv1.Lease:
		object.TypeMeta = metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}
	}
	content, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return answer{status: status, content: content}
}
