package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// Confirm asks a person a question that is answered by y or n, on the terminal. Without
// a terminal the answer is an error that names the flag --yes.
func (e *Environment) Confirm(ctx context.Context, question string) error {
	if !e.Terminal.In {
		return Usagef("%s Nobody can be asked, because the input is no terminal: give --yes", question)
	}
	if _, err := fmt.Fprintf(e.ErrOut, "%s [y/N] ", question); err != nil {
		return err
	}
	answers := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(e.In).ReadString('\n')
		if err != nil {
			line = "" // What was not finished is no answer.
		}
		answers <- line
	}()
	select {
	case answer := <-answers:
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		}
		return &CodeError{Code: ExitFailed, Err: errDeclined}
	case <-ctx.Done():
		return ctx.Err()
	}
}
