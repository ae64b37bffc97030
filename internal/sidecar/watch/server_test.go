package watch

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/test/output"
)

// server is an API server that answers as it is told to.
type server struct {
	*httptest.Server

	mu sync.Mutex
	// requests are the queries of what was asked, lists and watches.
	requests []string
	// list answers lists, and watch watches.
	list, watch http.HandlerFunc
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{watch: silent}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		s.mu.Lock()
		handler := s.list
		if r.URL.Query().Get("watch") != "" {
			handler = s.watch
		}
		s.requests = append(s.requests, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// lists answers lists with these Secrets, from now on.
func (s *server) lists(t *testing.T, secrets ...corev1.Secret) {
	t.Helper()
	content, err := json.Marshal(&corev1.SecretList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"},
		ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: secrets,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.set(func() { s.list = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) } })
}

func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// count is how many requests there were with a text in them.
func (s *server) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(strings.Join(s.requests, "\n"), text)
}

// refuse answers with a status of the API.
func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": %d, "reason": %q}`, code, reason)
}

// tell sends an event of a watch, and leaves the watch open until the other end goes.
func tell(kind string, object any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"type": kind, "object": object})
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// silent is a watch in which nothing happens.
func silent(w http.ResponseWriter, r *http.Request) {
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func secret(token string) corev1.Secret {
	return corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: "api", Namespace: "apps", ResourceVersion: "5"},
		Data:       map[string][]byte{"access_token": []byte(token)},
	}
}

// source is one that watches the Secret `api` of the server.
func (s *server) source(t *testing.T) (*Source, *output.Log) {
	t.Helper()
	client, err := kube.New(&rest.Config{Host: s.URL}, "apps", "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	log := &output.Log{}
	return &Source{
		Client: client, Name: "api", Keys: sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"},
		Clock: clock.RealClock{}, Log: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}
