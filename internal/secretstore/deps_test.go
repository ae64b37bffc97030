package secretstore_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// shared are the packages that the operator shares with a process in every pod, and heavy
// are those that cost such a process more than all else that it does: their types are
// registered whether anybody uses them or not.
var (
	shared = []string{"kubeapi", "issuance", "resolve", "secretstore", "grant", "oauth", "lifetime", "gate", "discovery", "egress", "render"}
	heavy  = []string{"k8s.io/client-go/kubernetes", "sigs.k8s.io/controller-runtime"}
)

func TestWhatIsSharedLinksNothingHeavy(t *testing.T) {
	t.Parallel()
	arguments := []string{"list", "-deps"}
	for _, name := range shared {
		arguments = append(arguments, "github.com/tokensync/tokensync/internal/"+name)
	}
	list, err := exec.CommandContext(t.Context(), "go", arguments...).Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(list))
	if !slices.Contains(linked, "k8s.io/client-go/rest") {
		t.Fatalf("go list answers %d packages, and not the one that is known to be linked", len(linked))
	}
	for _, path := range linked {
		for _, root := range heavy {
			if path == root || strings.HasPrefix(path, root+"/") {
				t.Errorf("%s is linked: find out by go list which import brings it, such as that of client-go's apply configurations", path)
			}
		}
	}
}
