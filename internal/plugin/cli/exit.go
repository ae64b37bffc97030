package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// The exit codes of the plugin.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitNotReady    = 3
	ExitTimeout     = 4
	ExitInterrupted = 130
)

// CodeError is an error with an exit code of its own.
type CodeError struct {
	Code int
	// Err is what is printed; nil where everything has been said.
	Err error
}

// Error returns the text of Err.
func (e *CodeError) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *CodeError) Unwrap() error { return e.Err }

// Usagef makes an error of a command line that cannot be used.
func Usagef(format string, arguments ...any) error {
	return &CodeError{Code: ExitUsage, Err: fmt.Errorf(format, arguments...)}
}

// NotReadyf makes an error of a credential that is not ready, or of a failed request.
func NotReadyf(format string, arguments ...any) error {
	return &CodeError{Code: ExitNotReady, Err: fmt.Errorf(format, arguments...)}
}

// Timeoutf makes an error of an outcome that did not come in time.
func Timeoutf(format string, arguments ...any) error {
	return &CodeError{Code: ExitTimeout, Err: fmt.Errorf(format, arguments...)}
}

// errDeclined is the error of a question that was not answered by yes.
var errDeclined = errors.New("given up: nothing was sent")

// Silent is the error of a command that has told everything itself.
func Silent(code int) error { return &CodeError{Code: code} }

// ExitCode is the exit code for an error.
func ExitCode(err error) int {
	var exit *CodeError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.Code
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitFailed
}

// OneName has a command take the name of one credential.
func OneName(command *cobra.Command, arguments []string) error {
	if len(arguments) != 1 {
		return Usagef("give the NAME of one credential: see %s --help", command.CommandPath())
	}
	return nil
}

// AtMostOneName is OneName where the name may be left out.
func AtMostOneName(command *cobra.Command, arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	return OneName(command, arguments)
}
