package resolve

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/assertion"
	"github.com/tokensync/tokensync/internal/oauth"
)

// Resolved is a token request and the versions of the objects that it was made
// from. After an error the versions are those seen so far.
type Resolved struct {
	Request  oauth.Request
	Versions []v1alpha1.SourceVersion
	// Issuer is what was asked of the issuer, nil where there is none.
	Issuer *oauth.MetadataRequest
}

// Resolver makes token requests of plans.
type Resolver struct {
	Reader      Reader
	Expressions Evaluator
	Issuers     Issuers
	// Now is the clock that expressions see.
	Now func() time.Time
}

// Issuers knows the metadata of issuers. Every error is an *oauth.Error.
type Issuers interface {
	Metadata(ctx context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error)
	// Forget has the metadata fetched anew, where they have turned out to be doubtful.
	Forget(request oauth.MetadataRequest)
}

// Resolve makes the token request of a plan whose grant is all in its spec. An error is a *SourceError or a
// *SpecError where a person can mend it, an *oauth.Error of the discovery, and
// otherwise the reader's.
func (r Resolver) Resolve(ctx context.Context, plan *Plan) (Resolved, error) {
	return r.ResolveWith(ctx, plan, Grant{})
}

// ResolveWith makes the token request of a plan that keeps its grant, and sends what is
// kept. Its errors are those of Resolve.
func (r Resolver) ResolveWith(ctx context.Context, plan *Plan, grant Grant) (Resolved, error) {
	if err := plan.Check(r.Expressions); err != nil {
		return Resolved{}, err
	}
	b := r.builder(plan, grant)
	request, err := b.build(ctx)
	return Resolved{Request: request, Versions: b.objects.versions, Issuer: b.issuer}, err
}

func (r Resolver) builder(plan *Plan, grant Grant) *builder {
	objects := &objects{reader: r.Reader, sources: plan.Sources(), secrets: map[string]*corev1.Secret{}}
	return &builder{Resolver: r, plan: plan, objects: objects, grant: grant}
}

// builder makes one request.
type builder struct {
	Resolver

	plan    *Plan
	objects *objects
	grant   Grant
	// audience is what assertions are for, unless they say otherwise.
	audience string
	issuer   *oauth.MetadataRequest
}

func (b *builder) build(ctx context.Context) (oauth.Request, error) {
	endpoint, spec := &b.plan.Endpoint, &b.plan.credential.Spec
	request := oauth.Request{
		TokenURL:       string(endpoint.TokenURL),
		Method:         string(endpoint.Request.Method),
		BodyFormat:     oauth.BodyFormat(endpoint.Request.BodyFormat),
		ScopeSeparator: endpoint.Request.ScopeSeparator,
		OmitParameters: endpoint.Request.OmitParameters,
		GrantType:      string(spec.GrantType),
		Scopes:         spec.Scopes,
		Audiences:      spec.Audiences,
		Resources:      spec.Resources,
		Pool:           b.plan.pool(),
		Response:       b.plan.mapper(b.Expressions),
		WantRaw:        b.plan.wantsRaw(),
		WantExtra:      b.plan.wantsExtra(),
	}
	if endpoint.Timeout != nil {
		request.Timeout = endpoint.Timeout.Duration
	}
	var err error
	if request.CABundle, err = b.bundle(ctx); err != nil {
		return request, err
	}
	if request.Client, err = b.client(ctx); err != nil {
		return request, err
	}
	if err = b.discover(ctx, &request); err != nil {
		return request, err
	}
	if err = b.addGrant(ctx, &request); err != nil {
		return request, err
	}
	if request.Headers, err = b.fields(ctx, b.plan.headers(), request.Client.ID); err != nil {
		return request, err
	}
	request.Parameters, err = b.fields(ctx, b.plan.parameters(), request.Client.ID)
	return request, err
}

func (b *builder) bundle(ctx context.Context) ([]byte, error) {
	if b.plan.Endpoint.TLS == nil {
		return nil, nil
	}
	return b.objects.bundle(ctx, b.plan.Endpoint.TLS.CARef, b.plan.ofProvider("tls.caRef"))
}

// client resolves who asks, and with which key.
func (b *builder) client(ctx context.Context) (oauth.ClientAuthentication, error) {
	declared, authentication := &b.plan.client, &b.plan.authentication
	client := oauth.ClientAuthentication{
		Method:        b.plan.Method,
		BasicEncoding: oauth.BasicEncoding(authentication.BasicEncoding),
	}
	if a := authentication.Assertion; a != nil {
		client.Algorithm, client.KeyID, client.Audience = string(a.Algorithm), a.KeyID, a.Audience
		if a.Lifetime != nil {
			client.Lifetime = a.Lifetime.Duration
		}
	}
	var err error
	if client.ID, err = b.clientID(ctx); err != nil {
		return client, err
	}
	switch {
	case declared.SecretRef != nil:
		client.Secret, err = b.objects.key(ctx, declared.SecretRef, b.plan.ofClient("secretRef"))
	case declared.PrivateKeyRef != nil:
		client.Key, err = b.privateKey(ctx, declared.PrivateKeyRef, b.plan.ofClient("privateKeyRef"))
	case declared.CertificateRef != nil:
		err = b.certificate(ctx, &client)
	case declared.ServiceAccount != nil:
		client.Token, err = b.Reader.ServiceAccountToken(ctx, b.plan.credential.Namespace, *declared.ServiceAccount)
	}
	return client, err
}

// clientID is the id of the client, empty where it needs none.
func (b *builder) clientID(ctx context.Context) (string, error) {
	declared := &b.plan.client
	if declared.IDRef == nil {
		return declared.ID, nil
	}
	id, err := b.objects.key(ctx, declared.IDRef, b.plan.ofClient("idRef"))
	return id.Reveal(), err
}

func (b *builder) privateKey(ctx context.Context, ref *v1alpha1.SecretKeyReference, at place) (*assertion.Key, error) {
	value, err := b.objects.key(ctx, ref, at)
	if err != nil {
		return nil, err
	}
	key, err := assertion.ParseKey([]byte(value.Reveal()))
	if err != nil {
		return nil, unusableKey(at, err)
	}
	return key, nil
}

// certificate reads the client's certificate: to present it, or, with
// private_key_jwt, to sign with its key.
func (b *builder) certificate(ctx context.Context, client *oauth.ClientAuthentication) error {
	at := b.plan.ofClient("certificateRef")
	secret, err := b.objects.secret(ctx, b.plan.client.CertificateRef.Name, at)
	if err != nil {
		return err
	}
	certificate, err := pick(secret.Data, v1alpha1.KindSecret, secret.Name, corev1.TLSCertKey, at)
	if err != nil {
		return err
	}
	key, err := pick(secret.Data, v1alpha1.KindSecret, secret.Name, corev1.TLSPrivateKeyKey, at)
	if err != nil {
		return err
	}
	if client.Method == oauth.MethodPrivateKeyJWT {
		if client.Key, err = assertion.CertificateKey(certificate, key); err != nil {
			return unusableKey(at, err)
		}
		return nil
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		// The text of err may quote what it could not read.
		return unusableKey(at, errNoPair)
	}
	client.Certificate = &pair
	return nil
}

// errNoPair is why a certificate cannot be presented.
var errNoPair = errors.New("tls.crt and tls.key must be PEM, and belong together")

// unusableKey says which key cannot be used, and why.
func unusableKey(at place, err error) *SpecError {
	if at.provider != "" {
		return NewSpecError(v1alpha1.ReasonInvalidKey, "the key of the client of the "+at.provider+" cannot be used"+askAdministrator)
	}
	return NewSpecError(v1alpha1.ReasonInvalidKey, "the key of "+at.field+" cannot be used: "+err.Error())
}
