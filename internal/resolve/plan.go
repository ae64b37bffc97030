package resolve

import (
	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

// Plan is a credential joined with its provider: all that shapes its token requests,
// and no secret's value.
type Plan struct {
	// Endpoint is the provider's, with the variables of its URLs filled in.
	Endpoint v1alpha1.Endpoint
	// Method is how the client authenticates.
	Method oauth.Method
	// Provider is nil where the credential names its endpoint itself.
	Provider *Provider
	// HoldsSecret says that the provider holds a secret which the credential's owner
	// may not see.
	HoldsSecret bool

	credential     *v1alpha1.OAuthCredential
	client         v1alpha1.Client
	authentication v1alpha1.ClientAuthentication
	// steered says that the credential chose the authority that is asked, or the issuer
	// whose metadata choose it.
	steered bool
	// bare says that there is no credential: it is the provider's own owner who is told.
	bare bool
}

// Join joins a credential with the provider that it refers to, nil where it names its
// endpoint itself. Every error is a *SpecError.
func Join(credential *v1alpha1.OAuthCredential, provider *Provider) (*Plan, error) {
	plan := &Plan{credential: credential, client: credential.Spec.Client, Provider: provider}
	switch {
	case provider != nil:
		plan.Endpoint = provider.Spec.Endpoint
		plan.HoldsSecret = HoldsSecret(provider.Spec)
	case credential.Spec.Provider != nil:
		plan.Endpoint = *credential.Spec.Provider
	default:
		return nil, incompatible("the credential names no provider: set spec.provider or spec.providerRef")
	}
	if err := plan.checkNamespace(); err != nil {
		return nil, err
	}
	if plan.HoldsSecret {
		if err := allow(&credential.Spec, provider); err != nil {
			return nil, err
		}
	}
	if provider != nil && provider.Spec.Client != nil {
		plan.client = *provider.Spec.Client
	}
	if err := plan.fillIn(); err != nil {
		return nil, err
	}
	if err := plan.chooseMethod(); err != nil {
		return nil, err
	}
	if err := plan.checkEndpoints(); err != nil {
		return nil, err
	}
	return plan, nil
}

// checkNamespace refuses a provider whose objects cannot be found: those that a
// ClusterOAuthProvider names are in the operator's namespace, which it has to know.
func (p *Plan) checkNamespace() error {
	if p.Provider == nil || p.Provider.Namespace != "" || len(ProviderSources(p.Provider.Spec, "")) == 0 {
		return nil
	}
	return NewSpecError(v1alpha1.ReasonProviderNotFound, "the Secrets and ConfigMaps of the "+p.Provider.String()+
		" cannot be found, because tokensync does not know its own namespace: have an administrator set POD_NAMESPACE in its Deployment")
}

func (p *Plan) variables() map[string]v1alpha1.VariableValue { return variablesOf(&p.credential.Spec) }

func variablesOf(spec *v1alpha1.OAuthCredentialSpec) map[string]v1alpha1.VariableValue {
	if spec.ProviderRef == nil {
		return nil
	}
	return spec.ProviderRef.Variables
}

// SharesClient tells whether all credentials of the provider use the same client. That
// is so as soon as the provider holds a secret, be it that of a header: no credential can
// bring anything beside it that says who asks.
func (p *Plan) SharesClient() bool { return p.HoldsSecret }

// providerNamespace is where the objects are that the endpoint names.
func (p *Plan) providerNamespace() string {
	if p.Provider != nil {
		return p.Provider.Namespace
	}
	return p.credential.Namespace
}

// hidden names the provider where the credential's owner may not see what it names;
// else it is empty.
func (p *Plan) hidden() string {
	if p.Provider.isCluster() && !p.bare {
		return p.Provider.String()
	}
	return ""
}

// providerField is the name of a field of the endpoint, as the owner of the
// credential finds it.
func (p *Plan) providerField(name string) string {
	if p.bare {
		return "spec." + name
	}
	if p.Provider != nil {
		return "spec." + name + " of the " + p.Provider.String()
	}
	return "spec.provider." + name
}

// Limits bound the requests to the provider.
func (p *Plan) Limits() v1alpha1.Limits {
	if p.Provider == nil || p.Provider.Spec.Limits == nil {
		return v1alpha1.Limits{}
	}
	return *p.Provider.Spec.Limits
}

// LifetimeRules are the provider's for how long its tokens live.
func (p *Plan) LifetimeRules() lifetime.Rules {
	declared := p.Endpoint.Lifetime
	rules := lifetime.Rules{Unit: lifetime.Unit(declared.ExpiresInUnit), Reissue: lifetime.Reissue(p.Endpoint.TokenReissue)}
	if declared.Default != nil {
		rules.Default = declared.Default.Duration
	}
	if declared.Maximum != nil {
		rules.Maximum = declared.Maximum.Duration
	}
	return rules
}

// ClusterProvider is the name of the ClusterOAuthProvider, empty where it is not one.
func (p *Plan) ClusterProvider() string {
	if p.Provider.isCluster() {
		return p.Provider.Name
	}
	return ""
}
