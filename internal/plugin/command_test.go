package plugin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/plugin"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

// execute runs the plugin without a cluster.
func execute(t *testing.T, arguments ...string) (code int, out, errOut string) {
	t.Helper()
	config := genericclioptions.NewConfigFlags(false)
	config.KubeConfig = new(filepath.Join(t.TempDir(), "empty"))
	if err := os.WriteFile(*config.KubeConfig, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var printed, told bytes.Buffer
	code = plugin.Execute(t.Context(), &cli.Environment{
		IOStreams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &printed, ErrOut: &told},
		Config:    config, Clock: clock.RealClock{}, Random: strings.NewReader(""), Version: "v1.2.3",
	}, arguments)
	return code, printed.String(), told.String()
}

func TestExecute(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments []string
		code      int
		says      string
	}{
		"nothing":                 {nil, cli.ExitOK, "Usage:\n  kubectl tokensync"},
		"its version":             {[]string{"--version"}, cli.ExitOK, "v1.2.3"},
		"help":                    {[]string{"refresh", "--help"}, cli.ExitOK, `Use "kubectl options" for the flags of kubectl`},
		"a command of nobody's":   {[]string{"frobnicate"}, cli.ExitUsage, `error: there is no command "frobnicate": see kubectl tokensync --help`},
		"a slip":                  {[]string{"statsu"}, cli.ExitUsage, "did you mean status?"},
		"a flag of nobody's":      {[]string{"status", "--frob"}, cli.ExitUsage, "see kubectl tokensync status --help"},
		"too few names":           {[]string{"login"}, cli.ExitUsage, "give the NAME of one credential"},
		"too many names":          {[]string{"inspect", "a", "b"}, cli.ExitUsage, "give the NAME of one credential"},
		"nothing to refresh":      {[]string{"refresh"}, cli.ExitUsage, "say which credentials to refresh"},
		"a form of nobody's":      {[]string{"status", "-o", "xml"}, cli.ExitUsage, "must be json or yaml"},
		"a watch for programs":    {[]string{"status", "-w", "-o", "json"}, cli.ExitUsage, "--watch is for people"},
		"no cluster":              {[]string{"status"}, cli.ExitFailed, "error: no cluster is configured: set KUBECONFIG"},
		"completion":              {[]string{"__complete", "stat"}, cli.ExitOK, "status\tShow what credentials are up to"},
		"completion of an output": {[]string{"__complete", "status", "-o", ""}, cli.ExitOK, "json\nyaml\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := execute(t, append([]string{"/usr/bin/kubectl-tokensync"}, test.arguments...)...)
			if code != test.code || !strings.Contains(out+errOut, test.says) {
				t.Errorf("got the code %d, want %d with %q:\n%s%s", code, test.code, test.says, out, errOut)
			}
		})
	}
}

// TestCompletionByName holds for the name under which kubectl asks for completion.
func TestCompletionByName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kubectl_complete-tokensync", "/usr/bin/kubectl_complete-tokensync", `C:\bin\kubectl_complete-tokensync.exe`} {
		if code, out, _ := execute(t, name, "insp"); code != cli.ExitOK || !strings.HasPrefix(out, "inspect\t") {
			t.Errorf("%s: got %d and %q", name, code, out)
		}
	}
}

// TestEveryCommandExplainsItself: what it is for, and an example.
func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	root := plugin.NewCommand(&cli.Environment{Config: genericclioptions.NewConfigFlags(false)})
	for _, command := range root.Commands() {
		if command.Short == "" || command.Long == "" || !strings.Contains(command.Example, "kubectl tokensync "+command.Name()) {
			t.Errorf("%s explains itself badly", command.Name())
		}
		for line := range strings.Lines(command.Long + "\n" + command.Example) {
			if len(line) > 100 {
				t.Errorf("%s: a line of the help is too long for a terminal: %s", command.Name(), line)
			}
		}
	}
}
