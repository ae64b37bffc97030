package failures_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/tokensync/tokensync/internal/grant"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// door is the way of one operator to the API server. While it is shut the API server is
// down as far as that operator can tell, and requests can be held up at it. It is safe
// for concurrent use.
type door struct {
	address    string
	kubeconfig string
	inside     http.Handler

	mu     sync.Mutex
	server *http.Server
	traps  []*trap
}

// trap holds up the first request that fits.
type trap struct {
	fits func(r *http.Request, body []byte) bool
	// answered says that the API server gets the request, and that its answer is held up.
	answered bool
	// caught is closed when the request is there, and open lets it go on.
	caught, open chan struct{}
}

// openDoor opens one until whoever began it ends.
func openDoor() *door {
	GinkgoHelper()
	target, err := url.Parse(controlPlane.Config.Host)
	Expect(err).NotTo(HaveOccurred())
	transport, err := rest.TransportFor(controlPlane.Config)
	Expect(err).NotTo(HaveOccurred())
	d := &door{address: freeAddress(), inside: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // Watches tell at once.
		ErrorLog:      log.New(io.Discard, "", 0),
	}}
	d.kubeconfig = filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(d.kubeconfig, fmt.Appendf(nil, `
apiVersion: v1
kind: Config
current-context: door
contexts: [{name: door, context: {cluster: door, user: nobody}}]
clusters: [{name: door, cluster: {server: "http://%s"}}]
users: [{name: nobody, user: {}}]
`, d.address), 0o600)).To(Succeed())
	d.reopen()
	DeferCleanup(d.shut)
	return d
}

// shut cuts all connections, and has new ones refused.
func (d *door) shut() {
	GinkgoHelper()
	d.mu.Lock()
	defer d.mu.Unlock()
	Expect(d.server.Close()).To(Succeed())
}

// reopen ends what shut began.
func (d *door) reopen() {
	GinkgoHelper()
	listener, err := net.Listen("tcp", d.address)
	Expect(err).NotTo(HaveOccurred())
	d.mu.Lock()
	defer d.mu.Unlock()
	server := &http.Server{Handler: d}
	d.server = server
	go func() { _ = server.Serve(listener) }() // It ends when it is closed.
}

// hold has the next request that fits wait at the door, or its answer.
func (d *door) hold(answered bool, fits func(r *http.Request, body []byte) bool) *trap {
	t := &trap{fits: fits, answered: answered, caught: make(chan struct{}), open: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.traps = append(d.traps, t)
	return t
}

// trapFor is the trap that a request falls into, if any. It is there for one request.
func (d *door) trapFor(r *http.Request, body []byte) *trap {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, t := range d.traps {
		if t.fits(r, body) {
			d.traps = append(d.traps[:i:i], d.traps[i+1:]...)
			return t
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	if r.Method != http.MethodGet {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	t := d.trapFor(r, body)
	switch {
	case t == nil:
		d.inside.ServeHTTP(w, r)
	case t.answered:
		// Whoever leaves while it waits has asked all the same.
		d.inside.ServeHTTP(&late{ResponseWriter: w, trap: t, left: r.Context()}, r.WithContext(context.WithoutCancel(r.Context())))
	case t.wait(r.Context()):
		d.inside.ServeHTTP(w, r)
	}
}

// wait holds up a request and says whether it may go on, which it may not once whoever
// sent it has left.
func (t *trap) wait(left context.Context) bool {
	close(t.caught)
	select {
	case <-t.open:
		return true
	case <-left.Done():
		return false
	}
}

// late writes an answer when its trap opens.
type late struct {
	http.ResponseWriter
	trap *trap
	left context.Context //nolint:containedctx // It is that of the request which is answered.
}

// WriteHeader implements http.ResponseWriter.
func (l *late) WriteHeader(status int) {
	if !l.trap.wait(l.left) {
		panic(http.ErrAbortHandler) // Nobody is there to hear it.
	}
	l.ResponseWriter.WriteHeader(status)
}

// writesGrant tells whether a request changes the grant of a credential, and what the
// record of it is then; nil where it does not. Only its creation is no patch.
func writesGrant(r *http.Request, body []byte, name string) *grant.Record {
	if r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/secrets/"+name+"-grant") {
		return nil
	}
	patch := struct {
		Data map[string][]byte `json:"data"`
	}{}
	if json.Unmarshal(body, &patch) != nil {
		return nil
	}
	record, err := grant.Decode(patch.Data)
	if err != nil {
		return nil
	}
	return record
}

// attempts fits what is written down before a refresh token is sent.
func attempts(name string) func(*http.Request, []byte) bool {
	return func(r *http.Request, body []byte) bool {
		record := writesGrant(r, body, name)
		return record != nil && record.Attempt != nil
	}
}

// keeps fits what is written down once there is an answer.
func keeps(name string) func(*http.Request, []byte) bool {
	return func(r *http.Request, body []byte) bool {
		record := writesGrant(r, body, name)
		return record != nil && record.Attempt == nil
	}
}

// publishes fits what brings a token to its consumers.
func publishes(name string) func(*http.Request, []byte) bool {
	return func(r *http.Request, _ []byte) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/secrets/"+name+"-token")
	}
}
