package operator

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/lock"
)

// Build builds the operator into bin/, with further arguments to `go build`, and
// answers the path of the binary.
func Build(ctx context.Context, name string, arguments ...string) (string, error) {
	return build(ctx, "tokensync-operator", name, arguments...)
}

// BuildPlugin does the same with the plugin of kubectl.
func BuildPlugin(ctx context.Context, name string, arguments ...string) (string, error) {
	return build(ctx, "kubectl-tokensync", name, arguments...)
}

// build builds a command. Suites that run at the same time may want the same binary: one
// builds it, and to the others it is up to date then, so that nobody's is taken away.
func build(ctx context.Context, command, name string, arguments ...string) (string, error) {
	path := filepath.Join(cluster.Root(), "bin", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("make a directory: %w", err)
	}
	unlock, err := lock.File(path + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	arguments = append(append([]string{"build", "-o", path}, arguments...), "./cmd/"+command)
	builder := exec.CommandContext(ctx, "go", arguments...)
	builder.Dir = cluster.Root()
	if output, err := builder.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", command, err, output)
	}
	return path, nil
}
