package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	gomegatypes "github.com/onsi/gomega/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// minimal is the least that a user can write.
const minimal = `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {generateName: schema-}
spec: {provider: {tokenURL: https://login.example.com/oauth/token}}
`

// manifest is the minimal one with a patch over it. Other than in a merge patch a
// null stays a null, as it does when a chart renders an absent value.
func manifest(patch string) map[string]any {
	GinkgoHelper()
	base := object(minimal)
	merge(base, object(patch))
	return base
}

func object(text string) map[string]any {
	GinkgoHelper()
	var o map[string]any
	Expect(yaml.Unmarshal([]byte(text), &o)).To(Succeed(), "must be YAML: %s", text)
	return o
}

func merge(base, over map[string]any) {
	for key, value := range over {
		below, isMap := value.(map[string]any)
		existing, wasMap := base[key].(map[string]any)
		if isMap && wasMap {
			merge(existing, below)
			continue
		}
		base[key] = value
	}
}

// quote writes a string as YAML would have it, whatever is in it.
func quote(s string) string { return strconv.QuoteToASCII(s) }

// verdict is what the API server makes of a manifest.
type verdict struct {
	// says holds what the error must contain; none for a manifest that is accepted.
	says []string
}

func accepted() verdict { return verdict{} }

// refused demands the path of the field, and words that tell what to change.
func refused(field string, words ...string) verdict {
	return verdict{says: append([]string{field}, words...)}
}

// judge creates the minimal manifest with the patch over it, and compares.
func judge(ctx SpecContext, patch string, want verdict) {
	GinkgoHelper()
	object, err := create(ctx, strict, manifest(patch))
	if len(want.says) == 0 {
		Expect(err).NotTo(HaveOccurred())
		expectReadable(ctx, object)
		return
	}
	expectComplaint(err, want.says)
}

// create posts a manifest, as JSON, which is what kubectl makes of it, and returns
// what the API server makes of that.
func create(ctx context.Context, mode validation, manifest map[string]any) (map[string]any, error) {
	return send(ctx, request(http.MethodPost, jsonBody, mode).Body(must(json.Marshal(manifest))))
}

func send(ctx context.Context, r *rest.Request) (map[string]any, error) {
	result := r.Do(ctx)
	// Raw would leave the API server's explanation out.
	if err := result.Error(); err != nil {
		return nil, err
	}
	body, err := result.Raw()
	Expect(err).NotTo(HaveOccurred())
	object := map[string]any{}
	return object, json.Unmarshal(body, &object)
}

func nameOf(object map[string]any) string {
	return object["metadata"].(map[string]any)["name"].(string)
}

// expectReadable reads the object the way that an informer does. One object that
// cannot be decoded would stop the list for all.
func expectReadable(ctx context.Context, object map[string]any) *v1alpha1.OAuthCredential {
	GinkgoHelper()
	credential := &v1alpha1.OAuthCredential{}
	key := types.NamespacedName{Namespace: namespace, Name: nameOf(object)}
	Expect(controlPlane.Client.Get(ctx, key, credential)).To(Succeed())
	return credential
}

// expectComplaint demands that one of the causes says all of it, and that no rule
// failed to run, which a user could do nothing about.
func expectComplaint(err error, says []string) {
	GinkgoHelper()
	Expect(err).To(HaveOccurred())
	GinkgoWriter.Println(err)
	var status apierrors.APIStatus
	Expect(errors.As(err, &status)).To(BeTrue(), err.Error())
	Expect(status.Status().Reason).To(Equal(metav1.StatusReasonInvalid), err.Error())
	matchers := make([]gomegatypes.GomegaMatcher, 0, len(says))
	for _, words := range says {
		matchers = append(matchers, ContainSubstring("%s", words))
	}
	causes := make([]string, 0, len(status.Status().Details.Causes))
	for _, cause := range status.Status().Details.Causes {
		causes = append(causes, fmt.Sprintf("%s: %s", cause.Field, cause.Message))
	}
	Expect(causes).To(ContainElement(SatisfyAll(matchers...)))
	Expect(causes).NotTo(ContainElement(MatchRegexp(`rule error|failed rule|no such|evaluation|cost`)))
}

// must is for what cannot fail.
func must[T any](value T, err error) T {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}
