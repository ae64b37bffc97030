package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// completionTime is how long a shell waits for the names of a cluster.
const completionTime = 3 * time.Second

// CompleteNames completes the names of credentials, as many as there may be; 0 means
// any number.
func (e *Environment) CompleteNames(most int) cobra.CompletionFunc {
	return func(command *cobra.Command, arguments []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most > 0 && len(arguments) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return e.complete(command.Context(), begun, &v1alpha1.OAuthCredentialList{})
	}
}

// CompleteNamespaces completes the names of namespaces.
func (e *Environment) CompleteNamespaces(command *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return e.complete(command.Context(), begun, &corev1.NamespaceList{})
}

// CompleteContexts completes the names of the contexts of the kubeconfig.
func (e *Environment) CompleteContexts(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	config, err := e.Config.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for name := range config.Contexts {
		names = append(names, name)
	}
	return beginning(names, begun), cobra.ShellCompDirectiveNoFileComp
}

// complete asks the cluster for the names of a kind, for as long as a person at a shell
// waits: for those of the namespace, where the kind has one.
func (e *Environment) complete(ctx context.Context, begun string, list client.ObjectList) ([]cobra.Completion, cobra.ShellCompDirective) {
	cluster, err := e.Connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	if err := cluster.Client.List(ctx, list, client.InNamespace(cluster.Namespace)); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object, err := meta.Accessor(item)
		if err == nil {
			names = append(names, object.GetName())
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return beginning(names, begun), cobra.ShellCompDirectiveNoFileComp
}

func beginning(names []string, begun string) []cobra.Completion {
	var matching []cobra.Completion
	for _, name := range names {
		if strings.HasPrefix(name, begun) {
			matching = append(matching, name)
		}
	}
	return matching
}
