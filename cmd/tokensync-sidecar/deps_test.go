package main

import (
	"os/exec"
	"strings"
	"testing"
)

// heavy are packages that the sidecar does without: it runs in every pod, and what is
// linked takes memory from the start. A slash at the end means all below.
var heavy = []string{
	"github.com/tokensync/tokensync/cmd/",
	"github.com/tokensync/tokensync/controllers",
	"github.com/tokensync/tokensync/controllers/",
	"github.com/tokensync/tokensync/hack/",
	"github.com/tokensync/tokensync/test/",
	"sigs.k8s.io/controller-runtime",
	"sigs.k8s.io/controller-runtime/",
	"k8s.io/client-go/kubernetes",
	"k8s.io/client-go/kubernetes/",
	"k8s.io/client-go/tools/leaderelection",
	"k8s.io/client-go/tools/leaderelection/",
	"k8s.io/client-go/informers",
	"k8s.io/client-go/informers/",
}

func TestWhatIsLinked(t *testing.T) {
	const own = "github.com/tokensync/tokensync/cmd/tokensync-sidecar"
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(output))
	found := false
	for _, name := range linked {
		found = found || name == own
		for _, unwanted := range heavy {
			if name != own && (name == unwanted || strings.HasSuffix(unwanted, "/") && strings.HasPrefix(name, unwanted)) {
				t.Errorf("%s is linked: see `go mod why` and `go list -deps` for what imports it", name)
			}
		}
	}
	if !found {
		t.Errorf("the command itself is not among the %d packages that go list names", len(linked))
	}
}
