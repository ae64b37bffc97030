package gitops

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const page = "docs/gitops.md"

// healthCheck is an entry of spec.healthCheckExprs of a Kustomization of Flux.
type healthCheck struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	InProgress string `json:"inProgress"`
	Failed     string `json:"failed"`
	Current    string `json:"current"`
}

// documented are the entries that the documentation shows.
func documented(t *testing.T) []healthCheck {
	t.Helper()
	var found []healthCheck
	for _, fence := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(read(t, page), -1) {
		for document := range strings.SplitSeq(fence[1], "\n---\n") {
			var kustomization struct {
				Spec struct {
					HealthCheckExprs []healthCheck `json:"healthCheckExprs"`
				} `json:"spec"`
			}
			if err := yaml.Unmarshal([]byte(document), &kustomization); err != nil {
				t.Fatalf("%s: %v in\n%s", page, err, document)
			}
			found = append(found, kustomization.Spec.HealthCheckExprs...)
		}
	}
	return found
}

// flux is what Flux makes of an object with the documented expressions, and what kstatus
// does where there are none for its kind. Until the spec is observed Flux asks no
// expression, and then in the order of the fields; what none knows is in progress.
func flux(t *testing.T, o *unstructured.Unstructured) string {
	t.Helper()
	result, err := status.Compute(o)
	if err != nil {
		t.Fatal(err)
	}
	observed, _, err := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range documented(t) {
		if check.APIVersion != o.GetAPIVersion() || check.Kind != o.GetKind() {
			continue
		}
		switch {
		case observed != o.GetGeneration(), holds(t, check.InProgress, o.Object):
			return string(status.InProgressStatus)
		case holds(t, check.Failed, o.Object):
			return string(status.FailedStatus)
		case holds(t, check.Current, o.Object):
			return string(status.CurrentStatus)
		}
		return string(status.InProgressStatus)
	}
	return string(result.Status)
}

// environment has what expressions of Flux may use. It parses them and checks no types.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true), ext.Strings(), ext.Sets(), ext.Encoders())
})

// holds tells whether an expression is true of an object. One that is not there is not.
func holds(t *testing.T, expression string, object map[string]any) bool {
	t.Helper()
	if expression == "" {
		return false
	}
	env, err := environment()
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := env.Parse(expression)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(parsed)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := program.ContextEval(t.Context(), object)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	answer, ok := value.Value().(bool)
	if !ok {
		t.Fatalf("%s: answers %v", expression, value)
	}
	return answer
}
