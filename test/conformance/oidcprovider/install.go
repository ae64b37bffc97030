package oidcprovider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tokensync/tokensync/test/lock"
)

const (
	oldestNode = 20
	needsNode  = "the conformance tests need Node 20 or newer with npm on the PATH (https://nodejs.org)"
)

// checkNode fails when there is no Node that is new enough.
func checkNode(ctx context.Context) error {
	output, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return fmt.Errorf("%s: %w", needsNode, err)
	}
	version := strings.TrimSpace(string(output))
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if number, err := strconv.Atoi(major); err != nil || number < oldestNode {
		return fmt.Errorf("%s: found %s", needsNode, version)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return fmt.Errorf("%s: %w", needsNode, err)
	}
	return nil
}

// directory finds this package's directory from wherever in the module a test
// runs; a path that the compiler recorded would not survive -trimpath.
func directory() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the package: %w", err)
	}
	for at := start; ; at = filepath.Dir(at) {
		candidate := filepath.Join(at, "test", "conformance", "oidcprovider")
		if _, err := os.Stat(filepath.Join(candidate, "server.mjs")); err == nil {
			return candidate, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("there is no test/conformance/oidcprovider above %s", start)
		}
	}
}

// install runs npm ci unless what the lock file names is there already. Several
// test binaries may do so at once; one installs and the others wait.
func install(ctx context.Context, dir string, log io.Writer) error {
	unlock, err := lock.File(filepath.Join(dir, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	want, err := lockSum(dir)
	if err != nil {
		return err
	}
	stamp := filepath.Join(dir, "node_modules", ".installed")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	_, _ = fmt.Fprintln(log, "oidcprovider: installing the authorization server for the tests (npm ci); this happens once")
	npm := exec.CommandContext(ctx, "npm", "ci")
	npm.Dir = dir
	if output, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", dir, err, output)
	}
	if err := os.WriteFile(stamp, []byte(want), 0o600); err != nil {
		return fmt.Errorf("remember the installation: %w", err)
	}
	return nil
}

// lockSum identifies what the lock file says.
func lockSum(dir string) (string, error) {
	content, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return "", fmt.Errorf("read the lock file: %w", err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}
