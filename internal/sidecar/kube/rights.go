package kube

import (
	"fmt"
	"strconv"
	"strings"
)

// unknown stands for what the reader has to fill in. It is no valid name, so that nobody
// applies it unread.
const unknown = "<of the pod>"

// Right is what one rule of a Role allows.
type Right struct {
	// Group is the API group, empty for that of Secrets.
	Group, Resource string
	// Name is that of the one object, empty for all: `create` knows no names.
	Name  string
	Verbs []string
}

// Manifest is the YAML of the Role, and of the RoleBinding to the client's ServiceAccount,
// that grant rights in the client's namespace. subject is what they are about, for their
// name.
func (c *Client) Manifest(subject string, rights ...Right) string {
	var text strings.Builder
	name, namespace := strconv.Quote(FieldManager+"-"+subject), strconv.Quote(c.Namespace)
	header := func(kind string) {
		fmt.Fprintf(&text, "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n  namespace: %s\n", kind, name, namespace)
	}
	header("Role")
	text.WriteString("rules:\n")
	for _, right := range rights {
		fmt.Fprintf(&text, "- apiGroups: %s\n  resources: %s\n", list(right.Group), list(right.Resource))
		if right.Name != "" {
			fmt.Fprintf(&text, "  resourceNames: %s\n", list(right.Name))
		}
		fmt.Fprintf(&text, "  verbs: %s\n", list(right.Verbs...))
	}
	text.WriteString("---\n")
	header("RoleBinding")
	account := c.account
	if account.name == "" {
		account.namespace, account.name = unknown, unknown
	}
	fmt.Fprintf(&text, "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: %s\n", name)
	fmt.Fprintf(&text, "subjects:\n- kind: ServiceAccount\n  name: %s\n  namespace: %s\n",
		strconv.Quote(account.name), strconv.Quote(account.namespace))
	return text.String()
}

// list is a YAML list of texts, quoted: the name of a Secret may look like a number.
func list(texts ...string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
