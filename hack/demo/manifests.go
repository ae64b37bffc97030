package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tokensync/tokensync/test/cluster"

	_ "embed"
)

// appKey is the client id that takes the place of the sample's placeholder.
const appKey = "demo-app-key"

// more are the credentials beside the samples.
//
//go:embed more.yaml
var more string

// namespaces are where everything goes.
const namespaces = `
{apiVersion: v1, kind: Namespace, metadata: {name: tokensync-system}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: web}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: billing}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: search}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: siem}}
`

// samples are the files of config/samples that ask for tokens. The last one says
// itself which namespaces it is for.
func samples() []string {
	return []string{"syncronex.yaml", "syncplicity.yaml", "rfc6749.yaml", sharedProvider}
}

const sharedProvider = "shared-provider.yaml"

// operatorNamespace is where the operator looks for what a ClusterOAuthProvider names.
const operatorNamespace = "tokensync-system"

// endpointURL is what a manifest says of an endpoint of a provider: which, at which host,
// with which path.
var endpointURL = regexp.MustCompile(`(tokenURL|deviceAuthorizationURL): https://([^/\s]+)(\S*)`)

// localize puts the stand-ins in place of the providers and real values in place
// of placeholders. Everything else stays as it is.
func localize(manifest string, providers []*provider) string {
	manifest = endpointURL.ReplaceAllStringFunc(manifest, func(line string) string {
		found := endpointURL.FindStringSubmatch(line)
		for _, p := range providers {
			if found[2] == p.host {
				return found[1] + ": " + p.endpoint(found[1], found[3])
			}
		}
		return line
	})
	values := []string{
		"put-your-client-secret-here", clientSecret,
		"put-your-app-secret-here", clientSecret,
		"put-your-app-key-here", appKey,
		"put-your-application-token-here", "kept-by-an-administrator",
	}
	for _, p := range providers {
		for placeholder, value := range p.values {
			values = append(values, placeholder, value)
		}
	}
	return strings.NewReplacer(values...).Replace(manifest)
}

// applyAll makes the namespaces and applies the samples and the rest.
func (d *demo) applyAll(ctx context.Context) error {
	if err := d.kubectl(ctx, namespaces, "apply", "-f", "-"); err != nil {
		return err
	}
	for _, name := range samples() {
		sample, err := os.ReadFile(filepath.Join(cluster.Root(), "config", "samples", name))
		if err != nil {
			return fmt.Errorf("read a sample: %w", err)
		}
		arguments := []string{"apply", "-f", "-"}
		if name != sharedProvider {
			arguments = append(arguments, "-n", "web")
		}
		if err := d.kubectl(ctx, localize(string(sample), d.providers), arguments...); err != nil {
			return err
		}
	}
	return d.kubectl(ctx, localize(more, d.providers), "apply", "-f", "-")
}

// kubectl runs kubectl with a manifest as its input.
func (d *demo) kubectl(ctx context.Context, manifest string, arguments ...string) error {
	command := exec.CommandContext(ctx, filepath.Join(cluster.Assets(), "kubectl"), arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+d.cluster.Kubeconfig, "KUBECACHEDIR="+d.path("kubectl"))
	command.Stdin = strings.NewReader(manifest)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(arguments, " "), err, output.String())
	}
	return nil
}
