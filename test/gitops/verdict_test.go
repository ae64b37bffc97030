package gitops

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tokensync/tokensync/test/eventually"
)

// verdict is what the tools make of an object.
type verdict struct {
	// kstatus is the word of kstatus.
	kstatus string
	// flux is that of Flux with the expressions of the documentation.
	flux string
	// argo is the health in Argo CD.
	argo string
}

var (
	good = verdict{"Current", "Current", "Healthy"}
	// begun is what mends itself, or when something else appears.
	begun = verdict{"InProgress", "InProgress", "Progressing"}
	// broken is what only a person can mend.
	broken = verdict{"Failed", "Failed", "Degraded"}
)

// judged is a verdict with its messages.
type judged struct {
	verdict
	// messages are those of kstatus and of Argo CD, by who says it.
	messages map[string]string
}

// says tells whether whoever shows a message of the object shows the text. What is current
// to kstatus has no message of its own.
func (j judged) says(text string) bool {
	return strings.Contains(j.messages["Argo CD"], text) &&
		(j.kstatus == "Current" || strings.Contains(j.messages["kstatus"], text))
}

// judge has all tools judge an object.
func judge(t *testing.T, o *unstructured.Unstructured) judged {
	t.Helper()
	result, err := status.Compute(o)
	if err != nil {
		t.Fatal(err)
	}
	health := argo(t, read(t, "config/argocd/health.lua"), o.Object)
	return judged{
		verdict:  verdict{kstatus: string(result.Status), flux: flux(t, o), argo: health.status},
		messages: map[string]string{"kstatus": result.Message, "Argo CD": health.message},
	}
}

// await waits until the tools come to a verdict on the object of a kind, by a message.
func (s *stage) await(kind string, want verdict, says string) {
	s.t.Helper()
	var got judged
	defer func() {
		if s.t.Failed() {
			s.t.Logf("the last verdict: %+v", got)
		}
	}()
	eventually.Holds(s.t, fmt.Sprintf("it was %+v, by %q", want, says), func() bool {
		got = judge(s.t, s.live(kind))
		return got.verdict == want && got.says(says)
	})
}
