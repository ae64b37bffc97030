package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/manifest"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/sidecar/volume"
)

// objects are the Secrets and ConfigMaps of a manifest, and those that it refers to beside.
// They have hashes of their contents for versions. It is safe for concurrent use.
type objects struct {
	// inFile are those of the manifest alone.
	inFile manifest.Objects
	// directories hold the others by their kind, and tokenFile is that of the projected
	// token. All may be empty.
	directories map[v1alpha1.ReferenceKind]string
	tokenFile   string
}

var _ resolve.Reader = (*objects)(nil)

func newObjects(declared manifest.Objects, options *Options) *objects {
	return &objects{
		inFile: declared,
		directories: map[v1alpha1.ReferenceKind]string{
			v1alpha1.KindSecret: options.SecretsDir, v1alpha1.KindConfigMap: options.ConfigMapsDir,
		},
		tokenFile: options.ServiceAccountToken,
	}
}

// Secret implements resolve.Reader.
func (o *objects) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	found, err := o.everywhere().Secret(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	secret := *found
	secret.ResourceVersion = render.Hash(secret.Data, time.Time{}) + "/" + string(secret.Type)
	return &secret, nil
}

// ConfigMap implements resolve.Reader.
func (o *objects) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	found, err := o.everywhere().ConfigMap(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	configMap := *found
	text := render.Data{}
	for key, value := range configMap.Data {
		text[key] = []byte(value)
	}
	configMap.ResourceVersion = render.Hash(text, time.Time{}) + "/" + render.Hash(configMap.BinaryData, time.Time{})
	return &configMap, nil
}

// everywhere looks into the manifest first, and then into the directories.
func (o *objects) everywhere() manifest.Objects {
	all := o.inFile
	all.Elsewhere = o.inDirectory
	return all
}

// inDirectory reads an object that the manifest does not hold. Whose namespace it is in is
// for who has mounted it to know.
func (o *objects) inDirectory(_ context.Context, _, name string, into manifest.Object) error {
	switch into := into.(type) {
	case *corev1.Secret:
		data, err := o.keys(v1alpha1.KindSecret, name)
		into.Name, into.Data = name, data
		return err
	case *corev1.ConfigMap:
		data, err := o.keys(v1alpha1.KindConfigMap, name)
		into.Name, into.BinaryData = name, data
		return err
	}
	return notFound("objects", name)
}

// keys reads the directory of an object.
func (o *objects) keys(kind v1alpha1.ReferenceKind, name string) (map[string][]byte, error) {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return nil, resolve.NewSpecError(v1alpha1.ReasonSourceSecretMissing,
			fmt.Sprintf("no %s can have the name %q: correct the reference", kind, redact.Message(name)))
	}
	if o.directories[kind] == "" {
		return nil, notFound(string(kind), name)
	}
	data, err := volume.Read(filepath.Join(o.directories[kind], name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(string(kind), name)
	}
	if err != nil {
		return nil, resolve.NewSpecError(v1alpha1.ReasonSourceSecretMissing, fmt.Sprintf("the %s %q cannot be used: %s", kind, name, err))
	}
	return data, nil
}

func notFound(resource, name string) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: resource}, name)
}

// isInFile tells whether the manifest itself holds an object.
func (o *objects) isInFile(ctx context.Context, kind v1alpha1.ReferenceKind, name string) bool {
	for _, namespace := range []string{o.inFile.Namespace, o.inFile.Operator} {
		_, err := o.inFile.Secret(ctx, namespace, name)
		if kind == v1alpha1.KindConfigMap {
			_, err = o.inFile.ConfigMap(ctx, namespace, name)
		}
		if err == nil {
			return true
		}
	}
	return false
}

// unreadable is the version of an object that is there and cannot be read.
const unreadable = "unreadable"

// versions are those of the sources of a plan, empty for those that do not exist.
func (o *objects) versions(ctx context.Context, plan *resolve.Plan) []v1alpha1.SourceVersion {
	sources := plan.Sources()
	versions := make([]v1alpha1.SourceVersion, 0, len(sources))
	for _, source := range sources {
		versions = append(versions, v1alpha1.SourceVersion{
			Kind: source.Kind, Name: source.RecordedName, ResourceVersion: o.version(ctx, source),
		})
	}
	return versions
}

func (o *objects) version(ctx context.Context, source resolve.Source) string {
	var (
		version string
		err     error
	)
	if source.Kind == v1alpha1.KindConfigMap {
		var configMap *corev1.ConfigMap
		if configMap, err = o.ConfigMap(ctx, source.Namespace, source.Name); err == nil {
			version = configMap.ResourceVersion
		}
	} else {
		var secret *corev1.Secret
		if secret, err = o.Secret(ctx, source.Namespace, source.Name); err == nil {
			version = secret.ResourceVersion
		}
	}
	switch {
	case apierrors.IsNotFound(err):
		return ""
	case err != nil:
		return unreadable
	}
	return version
}

// watched are the directories where a change may concern a plan.
func (o *objects) watched(plan *resolve.Plan) []string {
	var directories []string
	for _, source := range plan.Sources() {
		if directory := o.directories[source.Kind]; directory != "" && len(validation.IsDNS1123Subdomain(source.Name)) == 0 {
			directories = append(directories, directory, filepath.Join(directory, source.Name))
		}
	}
	return directories
}
