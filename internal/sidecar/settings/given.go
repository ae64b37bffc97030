package settings

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// prefix is that of all variables.
const prefix = "TOKENSYNC_"

// value is what a setting was set to.
type value struct {
	text string
	// origin is the flag or the variable that it came from, as the user wrote it.
	origin string
	// off tells that it is a switch, and set to false.
	off bool
}

// give notes the value of a setting. An empty one is none at all.
func (s *Settings) give(o option, text, origin string) {
	if text == "" {
		delete(s.given, o.name)
		return
	}
	on, err := strconv.ParseBool(text)
	s.given[o.name] = value{text: text, origin: origin, off: o.isSwitch && err == nil && !on}
}

// isSet tells whether a setting was given, and not only switched off.
func (s *Settings) isSet(name string) bool {
	given, ok := s.given[name]
	return ok && !given.off
}

// readFlags notes the values of all flags.
func (s *Settings) readFlags(options []option, arguments []string) error {
	flags := pflag.NewFlagSet("tokensync-sidecar", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {} // Usage is for the caller to print.
	for _, o := range options {
		if o.variableOnly {
			continue
		}
		flag := flags.VarPF(&raw{list: o.isList}, o.name, "", o.usage)
		if o.isSwitch {
			flag.NoOptDefVal = "true"
		}
	}
	if err := flags.Parse(arguments); errors.Is(err, pflag.ErrHelp) {
		return ErrHelp
	} else if err != nil {
		return fmt.Errorf("%w: see --help", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: all settings are flags, see --help", flags.Arg(0))
	}
	for _, o := range options {
		if flag := flags.Lookup(o.name); flag != nil && flag.Changed {
			s.give(o, flag.Value.String(), "--"+o.name)
			s.flagged[o.name] = true
		}
	}
	return nil
}

// raw is a flag as it was written: its value is checked where that of a variable is.
type raw struct {
	text string
	list bool
	set  bool
}

func (r *raw) Set(text string) error {
	if r.list && r.set {
		text = r.text + "," + text
	}
	r.text, r.set = text, true
	return nil
}

func (r *raw) String() string { return r.text }

// Type is for a usage text of pflag's, which is not used.
func (*raw) Type() string { return "string" }

// split makes a map of an environment.
func split(environ []string) map[string]string {
	variables := map[string]string{}
	for _, entry := range environ {
		if name, text, ok := strings.Cut(entry, "="); ok {
			variables[name] = text
		}
	}
	return variables
}

// readVariables notes the values of all variables whose flags are not given. The error
// names those that are no setting.
func (s *Settings) readVariables(options []option, environment map[string]string) error {
	known := map[string]option{}
	for _, o := range options {
		known[o.variable()] = o
	}
	var unknown []error
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		text := environment[name]
		if !strings.HasPrefix(name, prefix) || text == "" {
			continue
		}
		o, ok := known[name]
		switch {
		case ok && !s.flagged[o.name]:
			s.give(o, text, name)
		case !ok && !isServiceLink(name, text):
			unknown = append(unknown, fmt.Errorf("%s: there is no such setting, see --help", name))
		}
	}
	return errors.Join(unknown...)
}

// serviceLink is a variable that Kubernetes sets in each container for a Service of the
// pod's namespace: those of one named tokensync, or tokensync- and more, look like ours.
var serviceLink = regexp.MustCompile(
	`^TOKENSYNC(_[A-Z0-9_]+?)??_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// isServiceLink tells such a variable from a setting that was misspelled, which the name
// alone does not where it ends with PORT: Kubernetes has a URL there.
func isServiceLink(name, text string) bool {
	found := serviceLink.FindStringSubmatch(name)
	return found != nil && (found[2] != "PORT" || strings.Contains(text, "://"))
}
