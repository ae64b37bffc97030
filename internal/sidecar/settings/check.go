package settings

import (
	"errors"
	"fmt"
	"path/filepath"
)

// check looks at the settings together. What each of them needs is told first: the rest
// may only follow from it.
func (s *Settings) check(options []option) error {
	if err := errors.Join(s.checkSources(), s.checkNeeds(options)); err != nil {
		return err
	}
	return errors.Join(s.checkSinks(), s.checkProxy(), s.checkNotify(), s.checkOnce())
}

// checkNeeds finds the settings that mean nothing without another.
func (s *Settings) checkNeeds(options []option) error {
	var wrong []error
	for _, o := range options {
		if len(o.needs) > 0 && s.isSet(o.name) && len(s.among(o.needs...)) == 0 {
			wrong = append(wrong, fmt.Errorf("%s: works only with %s", s.Origin(o.name), or(flagsOf(o.needs...))))
		}
	}
	return errors.Join(wrong...)
}

func (s *Settings) checkSources() error {
	all := []string{"secret", "mount", "credential-file"}
	switch given := s.among(all...); len(given) {
	case 0:
		return fmt.Errorf("set %s: one says where the token comes from", or(flagsOf(all...)))
	case 1:
		return nil
	default:
		return s.exclude(given, "a token comes from one place")
	}
}

func (s *Settings) checkSinks() error {
	all := []string{"output-dir", "secret-output", "token-address", "proxy-listen"}
	if len(s.among(all...)) == 0 {
		return fmt.Errorf("set %s: at least one says where the token goes", or(flagsOf(all...)))
	}
	if s.isSet("mount") && s.isSet("output-dir") && filepath.Clean(s.Source.Mount) == filepath.Clean(s.Sinks.OutputDir) {
		return fmt.Errorf("%s: must be another folder than %s", s.Origin("output-dir"), s.Origin("mount"))
	}
	if s.Sinks.TokenAddress != nil && s.Sinks.ProxyListen != nil && s.Sinks.TokenAddress.String() == s.Sinks.ProxyListen.String() {
		return fmt.Errorf("%s: must be another address than %s", s.Origin("token-address"), s.Origin("proxy-listen"))
	}
	return nil
}

func (s *Settings) checkProxy() error {
	switch {
	case s.isSet("proxy-listen") && !s.isSet("proxy-upstream"):
		return fmt.Errorf("%s: needs --proxy-upstream, which says where the proxy leads to", s.Origin("proxy-listen"))
	case s.isSet("proxy-upstream") && !s.isSet("proxy-listen"):
		return fmt.Errorf("%s: needs --proxy-listen, which says where the app finds the proxy", s.Origin("proxy-upstream"))
	case s.isSet("proxy-upstream") && s.Sinks.ProxyUpstream.Scheme != "https" && !s.Sinks.ProxyInsecureUpstream:
		return fmt.Errorf("%s: must begin with https://, or the network sees the token; --proxy-insecure-upstream allows it",
			s.Origin("proxy-upstream"))
	}
	return nil
}

func (s *Settings) checkNotify() error {
	if given := s.among("notify-process", "notify-pid-file"); len(given) > 1 {
		return s.exclude(given, "both say who gets the signal")
	}
	return nil
}

// checkOnce refuses what ends as soon as it would begin: an init container is gone when
// the app starts.
func (s *Settings) checkOnce() error {
	if !s.isSet("once") {
		return nil
	}
	if len(s.among("output-dir", "secret-output")) == 0 {
		served := s.among("token-address", "proxy-listen")
		return fmt.Errorf("%s: works only with --output-dir or --secret-output: %s serves no longer than this process runs",
			s.Origin("once"), s.Origin(served[0]))
	}
	if given := s.among("notify-process", "notify-pid-file", "notify-url"); len(given) > 0 {
		return s.exclude(append(given, "once"), "the process ends before there is anybody to tell")
	}
	return nil
}

func (s *Settings) checkProbe() error {
	if s.isSet("probe") && s.Life.HealthAddress == "0" {
		return fmt.Errorf("%s: there is nobody to ask, because %s=0 turns that off", s.Origin("probe"), s.Origin("health-address"))
	}
	return nil
}

// among answers those of the named settings that are set.
func (s *Settings) among(names ...string) []string {
	var set []string
	for _, name := range names {
		if s.isSet(name) {
			set = append(set, name)
		}
	}
	return set
}

func (s *Settings) exclude(names []string, why string) error {
	origins := make([]string, len(names))
	for i, name := range names {
		origins[i] = s.Origin(name)
	}
	return fmt.Errorf("%s: cannot be used together, because %s", and(origins), why)
}

func flagsOf(names ...string) []string {
	flags := make([]string, len(names))
	for i, name := range names {
		flags[i] = "--" + name
	}
	return flags
}
