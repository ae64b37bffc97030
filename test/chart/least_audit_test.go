package chart_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// auditPolicy has the API server write down what ServiceAccounts ask for.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
`

// missing is how the API server names the right that a request lacks. It may be another
// than the verb of the request: an apply that would make an object takes create, too.
var missing = regexp.MustCompile(`cannot (\w+) resource "([^"]+)" in API group "([^"]*)"`)

// audit is the API server's own record of who has asked for what.
type audit struct {
	directory string

	mu     sync.Mutex
	reader *bufio.Reader
	line   []byte
	users  map[string]*asked
}

// asked is what came of the requests of one user.
type asked struct {
	// refused are the rights that it was found to lack.
	refused map[right]bool
	// lists counts, by resource, how often it was given a list.
	lists map[string]int
}

func newAudit() (*audit, error) {
	directory, err := os.MkdirTemp("", "tokensync-audit-")
	if err != nil {
		return nil, err
	}
	a := &audit{directory: directory, users: map[string]*asked{}}
	return a, os.WriteFile(a.path("policy.yaml"), []byte(auditPolicy), 0o600)
}

func (a *audit) path(file string) string { return filepath.Join(a.directory, file) }

// configure is an option of the control plane.
func (a *audit) configure(server *envtest.APIServer) {
	server.Configure().Set("audit-policy-file", a.path("policy.yaml")).Set("audit-log-path", a.path("log"))
}

// of reads on, and answers what a user has asked for until now.
func (a *audit) of(t *testing.T, user string) asked {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reader == nil {
		file, err := os.Open(a.path("log"))
		if err != nil {
			t.Fatal(err)
		}
		a.reader = bufio.NewReader(file)
	}
	for {
		part, err := a.reader.ReadBytes('\n')
		a.line = append(a.line, part...)
		if errors.Is(err, io.EOF) {
			return *a.user(user) // What there is of a last line is read with its rest.
		}
		if err == nil {
			err = a.note()
		}
		if err != nil {
			t.Fatal(err)
		}
		a.line = a.line[:0]
	}
}

func (a *audit) user(name string) *asked {
	if a.users[name] == nil {
		a.users[name] = &asked{refused: map[right]bool{}, lists: map[string]int{}}
	}
	return a.users[name]
}

// note notes what one line tells.
func (a *audit) note() error {
	var request struct {
		Verb           string
		User           struct{ Username string }
		ObjectRef      struct{ Resource string }
		ResponseStatus struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal(a.line, &request); err != nil {
		return err
	}
	asked := a.user(request.User.Username)
	switch request.ResponseStatus.Code {
	case http.StatusForbidden:
		if found := missing.FindStringSubmatch(request.ResponseStatus.Message); found != nil {
			asked.refused[right{group: found[3], resource: found[2], verb: found[1]}] = true
		}
	case http.StatusOK:
		if request.Verb == "list" {
			asked.lists[request.ObjectRef.Resource]++
		}
	}
	return nil
}
