package operator

import (
	"context"
)

// BuildSidecar builds the sidecar into bin/, with further arguments to `go build`, and
// answers the path of the binary.
func BuildSidecar(ctx context.Context, name string, arguments ...string) (string, error) {
	return build(ctx, "tokensync-sidecar", name, arguments...)
}

// StartSidecar starts a sidecar and waits until it is alive, which it is before it has a
// token. What is served beside is where the arguments say.
func StartSidecar(ctx context.Context, o Options) (*Process, error) {
	addresses, err := FreeAddresses(1)
	if err != nil {
		return nil, err
	}
	health := addresses[0]
	arguments := []string{"--health-address=" + health}
	if o.Kubeconfig != "" {
		arguments = append(arguments, "--kubeconfig="+o.Kubeconfig)
	}
	p := &Process{MetricsURL: "http://" + health + "/metrics", HealthURL: "http://" + health + "/healthz"}
	if err := p.start(ctx, o, append(arguments, o.Arguments...)); err != nil {
		return nil, err
	}
	return p, nil
}
