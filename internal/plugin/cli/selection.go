package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Selection says which credentials are meant.
type Selection struct {
	Names         []string
	Selector      string
	AllNamespaces bool
	// All means all of a namespace, for commands that do not take silence for that.
	All bool
}

// AddFlags adds the flags of a selection.
func (s *Selection) AddFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&s.Selector, "selector", "l", "", "Choose credentials by their labels, such as team=web.")
	flags.BoolVarP(&s.AllNamespaces, "all-namespaces", "A", false, "Choose credentials of all namespaces.")
}

// Validate tells a selection that contradicts itself.
func (s *Selection) Validate() error {
	switch {
	case len(s.Names) > 0 && (s.Selector != "" || s.AllNamespaces || s.All):
		return Usagef("name credentials, or choose them by -l, --all or -A, but not both")
	case s.All && s.AllNamespaces:
		return Usagef("--all means all credentials of one namespace, and -A those of all namespaces: give one of them")
	}
	if _, err := labels.Parse(s.Selector); err != nil {
		return Usagef("--selector=%s: %w", s.Selector, err)
	}
	return nil
}

// Credentials reads the credentials that are meant, by namespace and name. That there
// are none of a kind is no error; that a named one is missing is.
func (s *Selection) Credentials(ctx context.Context, cluster *Cluster) ([]v1alpha1.OAuthCredential, error) {
	var found []v1alpha1.OAuthCredential
	for _, name := range s.Names {
		credential, err := cluster.Credential(ctx, name)
		if err != nil {
			return nil, err
		}
		found = append(found, *credential)
	}
	if len(s.Names) > 0 {
		return found, nil
	}
	list := &v1alpha1.OAuthCredentialList{}
	if err := cluster.Client.List(ctx, list, s.options(cluster)...); err != nil {
		return nil, Explain(err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.OAuthCredential) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list.Items, nil
}

func (s *Selection) options(cluster *Cluster) []client.ListOption {
	var options []client.ListOption
	if !s.AllNamespaces {
		options = append(options, client.InNamespace(cluster.Namespace))
	}
	if selector, err := labels.Parse(s.Selector); err == nil && !selector.Empty() {
		options = append(options, client.MatchingLabelsSelector{Selector: selector})
	}
	return options
}

// Credential reads a credential of the cluster's namespace.
func (c *Cluster) Credential(ctx context.Context, name string) (*v1alpha1.OAuthCredential, error) {
	credential := &v1alpha1.OAuthCredential{}
	err := c.Client.Get(ctx, types.NamespacedName{Namespace: c.Namespace, Name: name}, credential)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no OAuthCredential %q in the namespace %q: choose another namespace with -n, or see "+
			"`kubectl tokensync status -A`", name, c.Namespace)
	}
	return credential, Explain(err)
}
