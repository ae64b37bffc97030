package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/cluster"
)

// operatorUser is the operator's ServiceAccount, as config/ names it.
const operatorUser = "system:serviceaccount:tokensync-system:tokensync-operator"

// grant makes the operator's user and gives it the rights of config/rbac, no more.
func (b *bench) grant(ctx context.Context) error {
	for _, file := range []string{"role.yaml", "cluster_providers_role.yaml"} {
		if err := b.grantRole(ctx, file); err != nil {
			return err
		}
	}
	var err error
	b.kubeconfig, err = b.cluster.AddUser(operatorUser, "system:serviceaccounts", "system:serviceaccounts:tokensync-system")
	return err
}

// grantRole gives the operator's user the rights of one file.
func (b *bench) grantRole(ctx context.Context, file string) error {
	content, err := os.ReadFile(filepath.Join(cluster.Root(), "config", "rbac", file))
	if err != nil {
		return fmt.Errorf("read the operator's role: %w", err)
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.Unmarshal(content, role); err != nil {
		return fmt.Errorf("read the operator's role: %w", err)
	}
	if err := b.cluster.Client.Create(ctx, role); err != nil {
		return err
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
	}
	return b.cluster.Client.Create(ctx, binding)
}

// sharedProvider is the name of the provider that all credentials share.
const sharedProvider = "shared"

// namespace is where the i-th credential of a set is.
func (b *bench) namespace(set string, i int) string {
	return fmt.Sprintf("%s-%d", set, i%b.options.namespaces)
}

// name is the name of the i-th credential.
func name(i int) string { return fmt.Sprintf("credential-%05d", i) }

func (b *bench) createNamespaces(ctx context.Context) error {
	for _, set := range []string{"bench", "ceiling"} {
		for i := range b.options.namespaces {
			body := fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, b.namespace(set, i))
			if _, err := b.send(ctx, "POST", "/api/v1/namespaces", body); err != nil {
				return err
			}
		}
	}
	return nil
}

// providerField is what names the provider in the spec of every credential.
func (b *bench) providerField() string {
	if b.options.shared {
		return fmt.Sprintf(`"providerRef":{"kind":"ClusterOAuthProvider","name":%q}`, sharedProvider)
	}
	return fmt.Sprintf(`"provider":{"tokenURL":%q}`, b.tokenURL)
}

// createProvider makes the provider that all credentials share.
func (b *bench) createProvider(ctx context.Context) error {
	body := fmt.Sprintf(`{"apiVersion":"tokensync.dev/v1alpha1","kind":"ClusterOAuthProvider","metadata":{"name":%q},
		"spec":{"tokenURL":%q}}`, sharedProvider, b.tokenURL)
	_, err := b.send(ctx, "POST", "/apis/tokensync.dev/v1alpha1/clusteroauthproviders", body)
	return err
}

// createCredentials makes n credentials of a set.
func (b *bench) createCredentials(ctx context.Context, set string, n int) error {
	return b.forAll(ctx, n, func(ctx context.Context, i int) error {
		body := fmt.Sprintf(`{"apiVersion":"tokensync.dev/v1alpha1","kind":"OAuthCredential","metadata":{"name":%[1]q},
			"spec":{%[2]s,"client":{"id":%[1]q,"secretRef":{"name":"%[1]s-client","key":"client_secret"}},
			"scopes":["read"]}}`, name(i), b.providerField())
		_, err := b.send(ctx, "POST", credentialsPath(b.namespace(set, i)), body)
		return err
	})
}

// createClients makes a Secret with a client secret for every credential of a set.
func (b *bench) createClients(ctx context.Context, set string) error {
	return b.forAll(ctx, b.options.n, func(ctx context.Context, i int) error {
		body := fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"%s-client"},"stringData":{"client_secret":%q}}`,
			name(i), clientSecret)
		_, err := b.send(ctx, "POST", secretsPath(b.namespace(set, i)), body)
		return err
	})
}

func secretsPath(namespace string) string { return "/api/v1/namespaces/" + namespace + "/secrets" }

func credentialsPath(namespace string) string {
	return "/apis/tokensync.dev/v1alpha1/namespaces/" + namespace + "/oauthcredentials"
}
