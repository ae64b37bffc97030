package engine

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
)

// unreadFailure is what stood in the way of a source that is there.
func unreadFailure(err error) *issuance.Failure {
	return &issuance.Failure{Reason: v1alpha1.ReasonSourceSecretMissing, Class: lifetime.Configuration, Message: err.Error()}
}

// inFiles says of a source that is missing where it was looked for. Whoever reads the log
// has mounted it, so that nothing of a provider is hidden from them.
func (o *objects) inFiles(ctx context.Context, source *resolve.SourceError) (string, bool) {
	if source.Problem == resolve.Forbidden {
		return "", false
	}
	flag := "--secrets-dir"
	if source.Kind == v1alpha1.KindConfigMap {
		flag = "--config-maps-dir"
	}
	directory := filepath.Join(o.directories[source.Kind], source.Name)
	file := filepath.Join(directory, source.Key)
	what := fmt.Sprintf("the %s %q, which %s names,", source.Kind, source.Name, source.Field)
	switch inFile := o.isInFile(ctx, source.Kind, source.Name); {
	case source.Problem == resolve.NotFound && o.directories[source.Kind] == "":
		return fmt.Sprintf("%s is not in the file of the credential: add it there, or mount it and give %s", what, flag), true
	case source.Problem == resolve.NotFound:
		return fmt.Sprintf("%s is neither in the file of the credential nor mounted: create the directory %s, with a file for each key",
			what, directory), true
	case source.Problem == resolve.KeyMissing && inFile:
		return fmt.Sprintf("%s has no key %q: add it in the file of the credential", what, source.Key), true
	case source.Problem == resolve.KeyMissing:
		return fmt.Sprintf("%s has no key %q: create the file %s", what, source.Key, file), true
	case inFile:
		return fmt.Sprintf("%s holds nothing under the key %q: give it a value in the file of the credential", what, source.Key), true
	default:
		return fmt.Sprintf("%s holds nothing under the key %q: give the file %s a content", what, source.Key, file), true
	}
}
