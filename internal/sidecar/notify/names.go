package notify

import (
	"slices"
	"strings"
)

// signalNames are the signals that may be asked for. Those that no program can handle
// are not among them.
var signalNames = []string{"HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "CONT", "WINCH", "ALRM"}

// SignalNames are the names of the signals that there are, without SIG.
func SignalNames() []string { return slices.Clone(signalNames) }

// SignalName is the name of a signal without SIG, which the text may begin with, in upper
// case. It answers false where there is no such signal.
func SignalName(text string) (string, bool) {
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	return name, slices.Contains(signalNames, name)
}
