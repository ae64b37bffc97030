package main

import (
	"context"
	"os/exec"
	"runtime"
)

// open opens a URL in the person's browser: by the system's own program, and never by a
// shell, which would read what is in the URL.
func open(ctx context.Context, url string) error {
	program, arguments := opener(runtime.GOOS)
	//nolint:gosec // The programs are those below, and no shell reads the URL.
	command := exec.CommandContext(ctx, program, append(arguments, url)...)
	// It must neither write between our lines nor end with us.
	command.Cancel = func() error { return nil }
	return command.Run()
}

// opener is the program that opens URLs on an operating system.
func opener(system string) (program string, arguments []string) {
	switch system {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	}
	return "xdg-open", nil
}
