package secretstore

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldSet is the JSON form of a set of managed fields (FieldsV1).
type fieldSet map[string]any

// managedBy reads what a manager has applied to an object.
func managedBy(entries []metav1.ManagedFieldsEntry, manager client.FieldOwner) fieldSet {
	for _, entry := range entries {
		if entry.Manager != string(manager) || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		fields := fieldSet{}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil {
			return fields
		}
	}
	return fieldSet{}
}

// has tells whether the set has the field at a path such as f:data, f:access_token.
func (f fieldSet) has(path ...string) bool {
	fields := map[string]any(f)
	for _, step := range path {
		next, ok := fields[step]
		if !ok {
			return false
		}
		fields, _ = next.(map[string]any)
	}
	return true
}
