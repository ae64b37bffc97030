// The authorization server of the conformance tests: oidc-provider with a small
// configuration. It reads its settings as one line of JSON from standard input,
// writes where it listens as one line of JSON to standard output, and then obeys
// commands, each a line of JSON that is answered by one. It ends when standard
// input does, so that it never outlives whoever started it.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import readline from 'node:readline';

import { metadata, newAdapter } from './clients.mjs';
import { register } from './grants.mjs';
import { listenAll, mount, mutualTLS } from './listen.mjs';
import { count, forPeople } from './people.mjs';

const input = readline.createInterface({ input: process.stdin });
input.once('close', () => process.exit(0));

const settings = JSON.parse(await new Promise((resolve) => { input.once('line', resolve); }));

const major = Number(process.versions.node.split('.')[0]);
if (major < 20 || typeof URL.parse !== 'function') {
  process.stderr.write(`Node 20 (a late one, with URL.parse) or newer is needed, this is ${process.version}\n`);
  process.exit(1);
}

console.info = console.warn; // standard output is for answers alone

const { Provider, errors } = await import('oidc-provider');

// signingKey is a key for the access tokens that are JWTs.
function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'test' };
}

// resourceServer describes what a resource indicator stands for.
function resourceServer(resource) {
  const known = settings.resources.find(({ identifier }) => identifier === resource);
  if (!known) {
    throw new errors.InvalidTarget('the resource is unknown');
  }
  if (known.failure) {
    throw new (errors[known.failure] ?? Error)('the resource is there to fail');
  }
  return {
    audience: known.identifier,
    scope: known.scopes.join(' '),
    accessTokenTTL: known.lifetimeSeconds,
    accessTokenFormat: known.format,
    jwt: known.format === 'jwt' ? { sign: { alg: 'ES256' } } : undefined,
  };
}

const listeners = await listenAll(settings);
const issuer = listeners.main.origin + settings.path;
const clients = new Map(settings.clients.map((client) => [client.id, metadata(client)]));

const people = forPeople(settings);

const provider = new Provider(issuer, {
  adapter: newAdapter(clients),
  scopes: settings.scopes,
  jwks: { keys: [signingKey()] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clientAuthMethods: [
    'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt',
    ...(listeners.mutual ? ['tls_client_auth', 'self_signed_tls_client_auth'] : []), 'none',
  ],
  enabledJWA: {
    clientAuthSigningAlgValues: [
      'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA',
    ],
  },
  discovery: listeners.mutual && { mtls_endpoint_aliases: { token_endpoint: `${listeners.mutual.origin}${settings.path}/token` } },
  extraTokenClaims: (ctx) => ctx.oidc.said,
  ...people.configuration,
  features: {
    devInteractions: { enabled: false },
    ...people.features,
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (ctx, client) => client.clientId === settings.introspector,
    },
    mTLS: listeners.mutual && mutualTLS,
    resourceIndicators: {
      enabled: true,
      defaultResource: () => settings.resources[0].identifier,
      getResourceServerInfo: (ctx, resource) => resourceServer(resource),
      useGrantedResource: () => true,
    },
  },
});
provider.on('server_error', (ctx, error) => process.stderr.write(`${error.stack}\n`));
const counts = count(provider);
register(provider, { errors, resourceServer, issuers: settings.issuers, fallback: settings.resources[0].identifier });
for (const { server } of Object.values(listeners)) {
  server.on('request', mount(settings, provider.callback()));
}

// Clients are only looked at when they come; a mistake in one is better told now.
for (const id of clients.keys()) {
  await provider.Client.find(id);
}

// obey does what a command says.
async function obey({ client, tls, count: counted }) {
  if (client) {
    clients.set(client.id, metadata(client));
    await provider.Client.find(client.id);
  }
  if (tls) {
    for (const { present } of Object.values(listeners)) {
      present(tls);
    }
  }
  return counted ? { counts } : {};
}

input.on('line', (line) => {
  obey(JSON.parse(line)).catch((error) => ({ error: `${error.message}: ${error.error_description}` }))
    .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
});
process.stdout.write(`${JSON.stringify({
  issuer, origin: listeners.main.origin, mutual: listeners.mutual?.origin, strict: listeners.strict?.origin,
})}\n`);
