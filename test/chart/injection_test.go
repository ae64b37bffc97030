package chart_test

import (
	"reflect"
	"testing"
)

// The chart puts its values into four variables of the policies, which are by default what
// they have in config/injection.
func TestChartInjectsWhatTheManifestsInject(t *testing.T) {
	rendered := render(t, "tokensync-system", "--set", "sidecar.injection.enabled=true")
	sources := build(t, "injection")
	if len(sources) != 4 {
		t.Fatalf("%d objects in config/injection", len(sources))
	}
	for _, source := range sources {
		policy := one(t, rendered, source.GetKind(), source.GetName())
		if !reflect.DeepEqual(source.Object["spec"], policy.Object["spec"]) {
			t.Errorf("%s of the chart differs from that of config/injection: run `make generate`\n%v\n%v",
				describe(policy), policy.Object["spec"], source.Object["spec"])
		}
	}
}
