package e2e_test

import (
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// documented are the objects that the documentation shows below a heading of a page, up to
// the next one of any rank.
func documented(page, heading string) []client.Object {
	GinkgoHelper()
	var manifests strings.Builder
	var below, fenced, found bool
	for line := range strings.Lines(read(page)) {
		switch language, fence := strings.CutPrefix(line, "```"); {
		case fence:
			fenced = !fenced
			found = fenced && below && language == "yaml\n"
			manifests.WriteString("---\n")
		case found:
			manifests.WriteString(line)
		case !fenced && strings.HasPrefix(line, "#"):
			below = strings.TrimSpace(strings.TrimLeft(line, "#")) == heading
		}
	}
	return decode(page, manifests.String())
}

// sampled are the objects of a file of config/samples.
func sampled(file string) []client.Object {
	GinkgoHelper()
	path := filepath.Join("config", "samples", file)
	return decode(path, read(path))
}

func read(path string) string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(cluster.Root(), path))
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// decode reads YAML documents, of which there must be some.
func decode(path, manifests string) []client.Object {
	GinkgoHelper()
	scheme, err := cluster.Scheme()
	Expect(err).NotTo(HaveOccurred())
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []client.Object
	for document := range strings.SplitSeq(manifests, "---\n") {
		if strings.Trim(document, "\n") == "" || !strings.Contains(document, "apiVersion:") {
			continue
		}
		object, _, err := decoder.Decode([]byte(document), nil, nil)
		Expect(err).NotTo(HaveOccurred(), path)
		objects = append(objects, object.(client.Object))
	}
	Expect(objects).NotTo(BeEmpty(), "no manifests in %s", path)
	return objects
}

// the answers the one object of a type.
func the[T client.Object](objects []client.Object) T {
	GinkgoHelper()
	var found []T
	for _, object := range objects {
		if one, ok := object.(T); ok {
			found = append(found, one)
		}
	}
	Expect(found).To(HaveLen(1), "objects of the type %T", *new(T))
	return found[0]
}

// podOf splits objects into the pod, or the one that a Deployment would make, and the rest.
func podOf(objects []client.Object) (pod *corev1.Pod, others []client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		switch workload := object.(type) {
		case *corev1.Pod:
			pod = workload
		case *appsv1.Deployment:
			pod = &corev1.Pod{ObjectMeta: workload.Spec.Template.ObjectMeta, Spec: workload.Spec.Template.Spec}
		default:
			others = append(others, object)
		}
	}
	Expect(pod).NotTo(BeNil(), "no pod in the manifests")
	return pod, others
}
