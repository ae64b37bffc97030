package secretstore

import (
	"encoding/json"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fieldSet is the JSON form of a set of managed fields (FieldsV1).
type fieldSet map[string]any

// applied reads what tokensync has applied to an object.
func applied(entries []metav1.ManagedFieldsEntry) fieldSet {
	for _, entry := range entries {
		if entry.Manager != FieldManager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		fields := fieldSet{}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil {
			return fields
		}
	}
	return fieldSet{}
}

// at is the set at a path such as f:metadata, f:labels; nil where there is none.
func (f fieldSet) at(path ...string) fieldSet {
	fields := map[string]any(f)
	for _, step := range path {
		fields, _ = fields[step].(map[string]any)
	}
	return fields
}

// has tells whether the set has the field at a path such as f:data, f:access_token.
func (f fieldSet) has(path ...string) bool {
	last := len(path) - 1
	_, ok := f.at(path[:last]...)[path[last]]
	return ok
}

// keys are the keys that the set has at a path, in no order.
func (f fieldSet) keys(path ...string) []string {
	var keys []string
	for field := range f.at(path...) {
		if key, ok := strings.CutPrefix(field, "f:"); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// within tells whether the fields at a path are all among the wanted keys.
func (f fieldSet) within(wanted map[string]string, path ...string) bool {
	for _, key := range f.keys(path...) {
		if _, ok := wanted[key]; !ok {
			return false
		}
	}
	return true
}
