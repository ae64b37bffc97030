// The grants that oidc-provider leaves to its users: JWT bearer (RFC 7523 section
// 2.1) and token exchange (RFC 8693). Assertions are verified by the same library
// that verifies those of clients.
import * as jose from 'jose';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const jwt = 'urn:ietf:params:oauth:token-type:jwt';

// register adds the grants. issuers are those of assertions, each with its keys.
export function register(provider, { errors, resourceServer, issuers, fallback }) {
  // verified returns the claims of an assertion that one of the issuers has made
  // for this server, and that has not been used before.
  async function verified(ctx, assertion) {
    try {
      const { iss } = jose.decodeJwt(assertion);
      const keys = issuers.find(({ issuer }) => issuer === iss)?.keys;
      if (!keys) {
        throw new Error('the issuer is unknown');
      }
      const { payload } = await jose.jwtVerify(assertion, jose.createLocalJWKSet({ keys }), {
        audience: [...ctx.oidc.clientJwtAuthExpectedAudience()],
        maxTokenAge: '1h',
        requiredClaims: ['sub', 'exp', 'jti'],
      });
      if (!await provider.ReplayDetection.unique(iss, payload.jti, payload.exp)) {
        throw new Error('it was used before');
      }
      return payload;
    } catch (cause) {
      throw new errors.InvalidGrant('the assertion is refused', { cause });
    }
  }

  // exchanged returns who a token of a type is about.
  async function exchanged(ctx, token, type) {
    switch (type) {
      case jwt:
        return (await verified(ctx, token)).sub;
      case accessToken: {
        const found = await provider.ClientCredentials.find(token);
        if (!found?.isValid) {
          throw new errors.InvalidGrant('the token is unknown');
        }
        return found.clientId;
      }
      default:
        throw new errors.InvalidRequest('tokens of this type cannot be exchanged');
    }
  }

  // answer issues a token about someone.
  async function answer(ctx, said, rest = {}) {
    const target = ctx.oidc.params.resource ?? ctx.oidc.params.audience ?? fallback;
    if (Array.isArray(target)) {
      throw new errors.InvalidTarget('one resource is enough');
    }
    const resource = new provider.ResourceServer(target, resourceServer(target));
    const scope = [...ctx.oidc.requestParamScopes].filter((name) => resource.scopes.has(name)).join(' ') || undefined;
    const token = new provider.ClientCredentials({ client: ctx.oidc.client, scope });
    token.resourceServer = resource;
    ctx.oidc.said = said;
    ctx.body = {
      access_token: await token.save(), expires_in: token.expiration, token_type: token.tokenType, scope, ...rest,
    };
  }

  provider.registerGrantType(jwtBearer, async (ctx) => {
    const { sub, ...others } = await verified(ctx, ctx.oidc.params.assertion);
    await answer(ctx, { subject: sub, department: others.department });
  }, ['assertion', 'scope', 'resource', 'audience'], ['resource', 'audience']);

  provider.registerGrantType(tokenExchange, async (ctx) => {
    const { params } = ctx.oidc;
    if (params.requested_token_type !== undefined && params.requested_token_type !== accessToken) {
      throw new errors.InvalidRequest('tokens of this type are not issued');
    }
    const subject = await exchanged(ctx, params.subject_token, params.subject_token_type);
    const actor = params.actor_token && await exchanged(ctx, params.actor_token, params.actor_token_type);
    await answer(ctx, { subject, actor }, { issued_token_type: accessToken });
  }, [
    'subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type',
    'scope', 'resource', 'audience',
  ], ['resource', 'audience']);
}
