package settings

import (
	"fmt"
	"strings"
)

// Usage is the help text.
func Usage() string {
	var b strings.Builder
	b.WriteString("tokensync-sidecar brings a token to a pod and keeps it fresh.\n")
	for _, g := range defaults().groups() {
		fmt.Fprintf(&b, "\n%s:\n", g.title)
		for _, o := range g.options {
			name := "--" + o.name
			if o.variableOnly {
				name = o.variable()
			}
			fmt.Fprintf(&b, "  %-30s %s\n", strings.TrimSpace(name+" "+o.argument), o.usage)
		}
	}
	fmt.Fprintf(&b, "\nEach flag is also a variable, --output-dir being %sOUTPUT_DIR. A flag wins.\n", prefix)
	return b.String()
}
