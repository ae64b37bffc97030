package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	gomegatypes "github.com/onsi/gomega/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// manifest is that of a minimal credential with a patch over it.
func manifest(patch string) map[string]any {
	GinkgoHelper()
	return credentials.manifest(patch)
}

// manifest is the minimal one with a patch over it. Other than in a merge patch a
// null stays a null, as it does when a chart renders an absent value.
func (k kind) manifest(patch string) map[string]any {
	GinkgoHelper()
	base := object(k.minimal)
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

// below is the verdict on a field whose path begins with another one.
func (v verdict) below(path string) verdict {
	if len(v.says) == 0 {
		return v
	}
	return refused(path+v.says[0], v.says[1:]...)
}

// judge creates a minimal credential with the patch over it, and compares.
func judge(ctx SpecContext, patch string, want verdict) {
	GinkgoHelper()
	credentials.judge(ctx, patch, want)
}

// judgeProviders does the same with both kinds of providers.
func judgeProviders(ctx SpecContext, patch string, want verdict) {
	GinkgoHelper()
	for _, k := range providerKinds {
		k.judge(ctx, patch, want)
	}
}

// judgeEndpoints does the same with the endpoints of all kinds. The path of the
// verdict begins there.
func judgeEndpoints(ctx SpecContext, endpoint string, want verdict) {
	GinkgoHelper()
	for _, k := range kinds {
		k.judge(ctx, fmt.Sprintf(k.around, endpoint), want.below(k.endpoint))
	}
}

// judgeKinds does the same with all kinds.
func judgeKinds(ctx SpecContext, patch string, want verdict) {
	GinkgoHelper()
	for _, k := range kinds {
		k.judge(ctx, patch, want)
	}
}

// within judges a value by the YAML that a format puts around it, in which %+q quotes it
// whatever it holds. The path of the verdict begins below the one given here.
func within(judge func(SpecContext, string, verdict), around, path string) func(SpecContext, string, verdict) {
	return func(ctx SpecContext, value string, want verdict) {
		GinkgoHelper()
		judge(ctx, fmt.Sprintf(around, value), want.below(path))
	}
}

func (k kind) judge(ctx SpecContext, patch string, want verdict) {
	GinkgoHelper()
	By("asking for an " + k.name)
	object, err := create(ctx, strict, k.manifest(patch))
	if len(want.says) == 0 {
		Expect(err).NotTo(HaveOccurred())
		k.read(ctx, nameOf(object))
		return
	}
	expectComplaint(err, want.says)
}

// create posts a manifest, as JSON, which is what kubectl makes of it, and returns
// what the API server makes of that.
func create(ctx context.Context, mode validation, manifest map[string]any) (map[string]any, error) {
	return send(ctx, kindOf(manifest).request(http.MethodPost, jsonBody, mode).Body(must(json.Marshal(manifest))))
}

func kindOf(manifest map[string]any) kind {
	GinkgoHelper()
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == manifest["kind"] })
	Expect(i).To(BeNumerically(">=", 0), "must be of a known kind: %v", manifest)
	return kinds[i]
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

// expectReadable reads a credential.
func expectReadable(ctx context.Context, object map[string]any) *v1alpha1.OAuthCredential {
	GinkgoHelper()
	return credentials.read(ctx, nameOf(object)).(*v1alpha1.OAuthCredential)
}

// read reads an object the way that an informer does. One object that cannot be
// decoded would stop the list for all.
func (k kind) read(ctx context.Context, name string) client.Object {
	GinkgoHelper()
	key := types.NamespacedName{Name: name}
	if k.namespaced {
		key.Namespace = namespace
	}
	object := k.empty()
	Expect(controlPlane.Client.Get(ctx, key, object)).To(Succeed())
	return object
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
