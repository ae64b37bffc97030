package manifest

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Manifest is what a file declares. Objects of other kinds are left out.
type Manifest struct {
	Credentials []v1alpha1.OAuthCredential
	// Others are the kinds that were left out.
	Others []string

	providers        []v1alpha1.OAuthProvider
	clusterProviders []v1alpha1.ClusterOAuthProvider
	secrets          []corev1.Secret
	configMaps       []corev1.ConfigMap
}

// maxManifest is the most bytes of a file that are read.
const maxManifest = 16 << 20

// Read reads YAML documents, or JSON. A field that does not exist is an error,
// as it is for `kubectl apply`. What the schema fills in when an object is created is
// filled in here. An error quotes no Secret.
func Read(r io.Reader) (*Manifest, error) {
	decode, err := decoder()
	if err != nil {
		return nil, err
	}
	m := &reader{Manifest: &Manifest{}, decoder: decode}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(io.LimitReader(r, maxManifest)))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return m.Manifest, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read document %d: %w", number, err)
		}
		if err := m.add(document); err != nil {
			return nil, fmt.Errorf("document %d: %w", number, err)
		}
	}
}

// IsEmpty tells whether nothing at all was declared.
func (m *Manifest) IsEmpty() bool {
	return len(m.Credentials)+len(m.Others)+len(m.providers)+len(m.clusterProviders)+len(m.secrets)+len(m.configMaps) == 0
}

// reader fills a manifest.
type reader struct {
	*Manifest

	decoder runtime.Decoder
}

// add adds the objects of a document.
func (m *reader) add(document []byte) error {
	var of metav1.TypeMeta
	if err := yaml.Unmarshal(document, &of); err != nil {
		return errNotYAML
	}
	group := of.GroupVersionKind().GroupVersion()
	switch {
	case of.Kind == "" && isEmpty(document):
		return nil
	case of.Kind == "":
		return errors.New("it has no kind: is it a manifest of Kubernetes?")
	case of.Kind == "List" && of.APIVersion == "v1":
		return m.addList(document)
	case group == v1alpha1.GroupVersion:
		return m.addOurs(of.Kind, document)
	case of.APIVersion == "v1" && of.Kind == "Secret":
		return addTo(m.decoder, &m.secrets, document, mergeStringData)
	case of.APIVersion == "v1" && of.Kind == "ConfigMap":
		return addTo(m.decoder, &m.configMaps, document, nil)
	}
	m.Others = append(m.Others, of.Kind)
	return nil
}

func (m *reader) addOurs(kind string, document []byte) error {
	switch kind {
	case "OAuthCredential":
		return addTo(m.decoder, &m.Credentials, document, fillIn)
	case string(v1alpha1.KindOAuthProvider):
		return addTo(m.decoder, &m.providers, document, nil)
	case string(v1alpha1.KindClusterOAuthProvider):
		return addTo(m.decoder, &m.clusterProviders, document, nil)
	}
	return fmt.Errorf("the kind %s of %s does not exist: OAuthCredential, OAuthProvider and ClusterOAuthProvider do", kind, v1alpha1.GroupVersion)
}

func (m *reader) addList(document []byte) error {
	var list struct {
		Items []runtime.RawExtension `json:"items"`
	}
	if err := yaml.Unmarshal(document, &list); err != nil {
		return errNotYAML
	}
	for _, item := range list.Items {
		if err := m.add(item.Raw); err != nil {
			return err
		}
	}
	return nil
}

// errNotYAML stands for an error whose text may quote a Secret.
var errNotYAML = errors.New("it is neither valid YAML nor JSON")

// addTo decodes a document strictly and adds it to a list.
func addTo[T any, P interface {
	*T
	runtime.Object
}](decoder runtime.Decoder, list *[]T, document []byte, complete func(*T)) error {
	object := new(T)
	_, _, err := decoder.Decode(document, nil, P(object))
	if _, ok := any(object).(*corev1.Secret); ok && err != nil {
		return errors.New("it is no valid Secret: check that the values under data are in base64, or put them under stringData")
	}
	if err != nil {
		return err
	}
	if complete != nil {
		complete(object)
	}
	*list = append(*list, *object)
	return nil
}

// mergeStringData does what the API server does on a write.
func mergeStringData(secret *corev1.Secret) {
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	for key, value := range secret.StringData {
		secret.Data[key] = []byte(value)
	}
	secret.StringData = nil
}

// fillIn fills in the defaults of the schema.
func fillIn(credential *v1alpha1.OAuthCredential) {
	if credential.Spec.GrantType == "" {
		credential.Spec.GrantType = v1alpha1.GrantClientCredentials
	}
	if ref := credential.Spec.ProviderRef; ref != nil && ref.Kind == "" {
		ref.Kind = v1alpha1.KindOAuthProvider
	}
}

func isEmpty(document []byte) bool {
	var content any
	return yaml.Unmarshal(document, &content) == nil && content == nil
}
