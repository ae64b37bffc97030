package browser

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// opener is what the plugin takes for the program that opens pages. It writes down
// which it was to open.
const opener = `#!/bin/sh
printf '%s' "$1" >"$OPENED.part" && mv "$OPENED.part" "$OPENED"
`

// command is the plugin at work.
type command struct {
	t      *testing.T
	opened string
	done   chan error
	output bytes.Buffer
	errors bytes.Buffer
}

// run runs the plugin.
func (s *stage) run(t *testing.T, arguments ...string) *command {
	t.Helper()
	directory := t.TempDir()
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(opener), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := &command{t: t, opened: filepath.Join(directory, "opened"), done: make(chan error, 1)}
	process := exec.CommandContext(t.Context(), s.plugin, append(arguments, "--kubeconfig="+s.cluster.Kubeconfig, "-n", s.namespace)...)
	process.Env = append(os.Environ(), "PATH="+directory+string(os.PathListSeparator)+os.Getenv("PATH"), "OPENED="+c.opened)
	process.Stdout, process.Stderr = &c.output, &c.errors
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.done <- process.Wait() }()
	return c
}

// login runs the plugin's login, to whose provider nothing but this machine's network
// leads.
func (s *stage) login(t *testing.T, name string, arguments ...string) *command {
	t.Helper()
	return s.run(t, append([]string{
		"login", name, "--yes", "--allow-insecure-http", "--egress-allow-cidr=127.0.0.0/8", "--operator-namespace=" + s.operatorNamespace,
	}, arguments...)...)
}

// page waits until the plugin has a page opened, and answers its URL.
func (c *command) page() string {
	c.t.Helper()
	for deadline := time.Now().Add(pageTime); ; time.Sleep(20 * time.Millisecond) {
		if url, err := os.ReadFile(c.opened); err == nil {
			return string(url)
		}
		select {
		case err := <-c.done:
			c.t.Fatalf("the plugin has ended (%v) without a page:\n%s%s", err, &c.output, &c.errors)
		default:
		}
		if time.Now().After(deadline) {
			c.t.Fatal("the plugin opens no page")
		}
	}
}

// ends waits until the plugin ends, with an exit code and with words that it must have
// said.
func (c *command) ends(code int, words ...string) {
	c.t.Helper()
	var err error
	select {
	case err = <-c.done:
	case <-time.After(pageTime):
		c.t.Fatal("the plugin does not end")
	}
	said, got := c.output.String()+c.errors.String(), 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		c.t.Fatal(err)
	}
	if got != code {
		c.t.Errorf("the exit code is %d, want %d:\n%s", got, code, said)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			c.t.Errorf("the plugin does not say %q:\n%s", word, said)
		}
	}
}
