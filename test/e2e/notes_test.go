package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// What Helm prints after an installation is followed to the letter, but for the address and
// the client of the provider.
var _ = Describe("The notes of the chart", func() {
	It("lead to a token, by commands that work, and `helm test` passes among them", func(ctx SpecContext) {
		_, notes, found := strings.Cut(operator.helm(ctx, "upgrade", chart(), "--reuse-values"), "NOTES:")
		Expect(found).To(BeTrue())
		commands, manifest := readNotes(notes)
		Expect(commands).To(ContainElement(HavePrefix("helm -n " + operator.namespace + " test")))

		credential := the[*v1alpha1.OAuthCredential](decode("NOTES.txt", manifest))
		example := documented("README.md", "Example")
		secret := the[*corev1.Secret](example)
		secret.Name = credential.Spec.Client.SecretRef.Name
		credential.Spec.Provider = crowd.provider.endpoint("/plain/oauth/token")
		credential.Spec.Client.ID = the[*v1alpha1.OAuthCredential](example).Spec.Client.ID
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "my-app"}}
		create(ctx, crowd.namespace, secret, credential, account)

		kubeconfig := pointedAt(crowd.namespace)
		for _, line := range commands {
			command := exec.CommandContext(ctx, "sh", "-c", line)
			command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig,
				"PATH="+filepath.Join(cluster.Root(), "bin")+":"+cluster.Assets()+":"+os.Getenv("PATH"))
			output, err := command.CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), "%s: %s", line, output)
		}
		made := &corev1.Secret{}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(credential), made)).To(Succeed(), "a Secret my-token appears")
		Expect(api.Get(ctx, client.ObjectKeyFromObject(account), account)).To(Succeed())
		Expect(account.Annotations).To(HaveKey(v1alpha1.AnnotationAudiences))
	})
})

// readNotes takes the commands and the manifest out of the notes: both are indented.
func readNotes(notes string) (commands []string, manifest string) {
	for line := range strings.Lines(notes) {
		text, indented := strings.CutPrefix(line, "  ")
		switch {
		case !indented:
		case strings.HasPrefix(text, "kubectl "), strings.HasPrefix(text, "helm "):
			commands = append(commands, strings.TrimSpace(text))
		case strings.HasPrefix(text, "apiVersion: "), manifest != "" && strings.HasPrefix(text, " "),
			strings.HasPrefix(text, "kind: "), strings.HasPrefix(text, "metadata:"), strings.HasPrefix(text, "spec:"):
			manifest += text
		}
	}
	return commands, manifest
}

// pointedAt is a kubeconfig like that of the suite, with another namespace than default.
func pointedAt(namespace string) string {
	GinkgoHelper()
	config, err := clientcmd.LoadFromFile(os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.Contexts[config.CurrentContext].Namespace = namespace
	file := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*config, file)).To(Succeed())
	return file
}
