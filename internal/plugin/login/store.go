package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// store leaves a login in the Secret of the grant: in that alone of an existing one.
func (s *session) store(ctx context.Context, left *grant.Login) error {
	encoded, err := left.Encode()
	if err != nil {
		return fmt.Errorf("encode the login: %w", err)
	}
	s.remember(ctx)
	if err := s.writeUntil(ctx, encoded); err != nil {
		return fmt.Errorf("the provider has consented, but that cannot be stored, so that you have to log in again: %w", err)
	}
	return nil
}

// remember keeps what has failed up to now, so that it is not taken for what comes of the
// login.
func (s *session) remember(ctx context.Context) {
	s.failure = s.credential.Status.LastFailure
	if credential, err := s.cluster.Credential(ctx, s.credential.Name); err == nil {
		s.failure = credential.Status.LastFailure
	}
}

// grantKey names the Secret of the grant.
func (s *session) grantKey() types.NamespacedName {
	return types.NamespacedName{Namespace: s.credential.Namespace, Name: secretstore.GrantName(s.credential.Name)}
}

// rehearseStore finds out whether a login can be stored, before anybody logs in.
func (s *session) rehearseStore(ctx context.Context) error {
	return s.write(ctx, []byte("{}"), client.DryRunAll)
}

// writeUntil writes the value of the login, and tries again while the API server has
// trouble: the person would have to log in again.
func (s *session) writeUntil(ctx context.Context, login []byte) error {
	for {
		err := s.write(ctx, login)
		if err == nil || !passes(err) || s.environment.Wait(ctx, glance) != nil {
			return err
		}
	}
}

// passes tells whether an error is one of the connection, or of an API server in trouble.
func passes(err error) bool {
	_, connection := errors.AsType[*url.Error](err)
	return connection || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) ||
		apierrors.IsTimeout(err) || apierrors.IsInternalError(err)
}

// write writes the value of the login. What was not there when it was looked for may be
// there by now.
func (s *session) write(ctx context.Context, login []byte, how ...writeOption) error {
	err := s.writeOnce(ctx, login, how...)
	if apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		err = s.writeOnce(ctx, login, how...)
	}
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("you need the rights to get, create and patch the Secret %q for a login: %w",
			secretstore.GrantName(s.credential.Name), err)
	}
	return cli.Explain(err)
}

// writeOption is one for every way to write.
type writeOption interface {
	client.CreateOption
	client.PatchOption
}

func (s *session) writeOnce(ctx context.Context, login []byte, how ...writeOption) error {
	create := []client.CreateOption{client.FieldOwner(cli.FieldManager)}
	patch := []client.PatchOption{client.FieldOwner(cli.FieldManager)}
	for _, option := range how {
		create, patch = append(create, option), append(patch, option)
	}
	secret := &corev1.Secret{}
	err := s.cluster.Client.Get(ctx, s.grantKey(), secret)
	if apierrors.IsNotFound(err) {
		return s.cluster.Client.Create(ctx, s.newSecret(login), create...)
	}
	if err != nil {
		return err
	}
	if !secretstore.HoldsGrant(&secret.ObjectMeta, s.credential.Name) {
		return fmt.Errorf("the Secret %q exists, and is not the grant of this credential: delete it, or give it another name", secret.Name)
	}
	if err := readable(secret); err != nil {
		return err
	}
	encoded, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": secret.UID},
		"data":     map[string][]byte{grant.KeyLogin: login},
	})
	if err != nil {
		return err
	}
	return s.cluster.Client.Patch(ctx, secret, client.RawPatch(types.MergePatchType, encoded), patch...)
}

// readable tells of a grant from which the operator would not go on, whoever logs in.
func readable(secret *corev1.Secret) error {
	if len(secret.Data[grant.KeyRecord]) == 0 {
		return nil // Nothing has begun there.
	}
	if _, err := grant.Decode(secret.Data); err != nil {
		return cli.NotReadyf("the Secret %q does not hold a grant that can be read, so that nothing could come of a login: restore it, or run: "+
			"kubectl delete secret %s -n %s (unless the operator is newer than this plugin: then get that version of the plugin)",
			secret.Name, secret.Name, secret.Namespace)
	}
	return nil
}

// newSecret is the Secret of a grant that is about to begin. It has no owner: the operator
// takes it over.
func (s *session) newSecret(login []byte) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.credential.Namespace,
			Name:      secretstore.GrantName(s.credential.Name),
			Labels: map[string]string{
				v1alpha1.LabelManagedBy:  v1alpha1.ManagedByTokensync,
				v1alpha1.LabelCredential: s.credential.Name,
				v1alpha1.LabelRole:       v1alpha1.RoleGrant,
			},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{grant.KeyLogin: login},
	}
}
