package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// Output is the form of what is printed: empty for people.
type Output string

// The forms for programs.
const (
	JSON Output = "json"
	YAML Output = "yaml"
)

// AddFlag adds the flag of an output, with its completion.
func (o *Output) AddFlag(command *cobra.Command) {
	command.Flags().StringVarP((*string)(o), "output", "o", "", "Print for programs: json or yaml.")
	// It fails for an unknown flag only.
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{string(JSON), string(YAML)}, cobra.ShellCompDirectiveNoFileComp))
}

// Validate tells a form that does not exist.
func (o *Output) Validate() error {
	switch *o {
	case "", JSON, YAML:
		return nil
	}
	return Usagef("--output=%s: must be json or yaml", *o)
}

// Print writes a value in the form.
func (o *Output) Print(w io.Writer, value any) error {
	encoded, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the output: %w", err)
	}
	if *o == YAML {
		if encoded, err = yaml.JSONToYAML(encoded); err != nil {
			return fmt.Errorf("encode the output: %w", err)
		}
		_, err = w.Write(encoded)
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", encoded)
	return err
}
