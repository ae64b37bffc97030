package e2e_test

import (
	"context"
	"os/exec"
	"path/filepath"

	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// kubectl runs kubectl as an administrator, and answers what it prints.
func kubectl(ctx context.Context, arguments ...string) string {
	GinkgoHelper()
	output, err := exec.CommandContext(ctx, filepath.Join(cluster.Assets(), "kubectl"), arguments...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "kubectl %q: %s", arguments, output)
	return string(output)
}
