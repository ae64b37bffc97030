package kube

import (
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/tokensync/tokensync/internal/serviceaccount/claims"
)

// accountDirectory is where the kubelet puts what a pod needs to speak to the API server.
const accountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

// podNamespace is the namespace of the pod, empty where the directory does not tell.
func podNamespace(directory string) string {
	content, err := os.ReadFile(filepath.Join(directory, "namespace")) //nolint:gosec // The kubelet put it there.
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

// account is the ServiceAccount that a client speaks for, empty where that is not known.
type account struct{ namespace, name string }

// readAccount reads it from the client's token.
func readAccount(config *rest.Config) account {
	token := config.BearerToken
	if content, err := os.ReadFile(config.BearerTokenFile); err == nil {
		token = string(content)
	}
	return parseAccount(token)
}

// parseAccount reads the subject of a ServiceAccount's token, whose signature is not looked
// at: the name only goes into advice.
func parseAccount(token string) account {
	found, _ := claims.Read(token)
	namespace, name, ok := found.Account()
	if !ok {
		return account{}
	}
	return account{namespace: namespace, name: name}
}
