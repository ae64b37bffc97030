package oauthcredential

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// A refresh can be asked for by an annotation on the credential and by one on its
// target Secret. The status remembers both values once they are handled.
const requestSeparator = ","

// refreshRequests are the values of the annotation on a credential and its target,
// those that are there.
func refreshRequests(objects ...*metav1.ObjectMeta) []string {
	var requests []string
	for _, object := range objects {
		if object == nil || object.Annotations[v1alpha1.AnnotationRefreshRequestedAt] == "" {
			continue
		}
		requests = append(requests, requestName(object.Annotations[v1alpha1.AnnotationRefreshRequestedAt]))
	}
	return requests
}

// requestName is a value as the status can hold it: long ones are hashed.
func requestName(value string) string {
	const longest = 64
	if len(value) <= longest && !strings.Contains(value, requestSeparator) {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:longest/2])
}

// refreshRequested tells whether one of the annotations has a value that was not
// handled.
func refreshRequested(f *facts) bool {
	return unhandled(f, &f.credential.ObjectMeta, f.secret)
}

// insists tells whether a person has asked. Workloads ask by the target.
func insists(f *facts) bool {
	return unhandled(f, &f.credential.ObjectMeta)
}

// unhandled tells whether an annotation of the objects has a value that was not handled.
// Where the status knows nothing of the token that is held, it was lost, and with it what
// was handled; then nothing is asked for.
func unhandled(f *facts, objects ...*metav1.ObjectMeta) bool {
	if f.held && f.credential.Status.IssuedAt == nil {
		return false
	}
	handled := strings.Split(f.credential.Status.LastRefreshRequest, requestSeparator)
	for _, request := range refreshRequests(objects...) {
		if !slices.Contains(handled, request) {
			return true
		}
	}
	return false
}

// currentRequests are the values of the annotations now, as the status holds them.
func currentRequests(f *facts) string {
	return strings.Join(refreshRequests(&f.credential.ObjectMeta, f.secret), requestSeparator)
}
