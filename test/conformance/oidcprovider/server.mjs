// The authorization server of the conformance tests: oidc-provider with a small
// configuration. It reads its settings as one line of JSON from standard input,
// writes where it listens as one line of JSON to standard output, and ends when
// standard input does, so that it never outlives whoever started it.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import readline from 'node:readline';

const input = readline.createInterface({ input: process.stdin });
input.once('close', () => process.exit(0));

const settings = JSON.parse(await new Promise((resolve) => { input.once('line', resolve); }));

const major = Number(process.versions.node.split('.')[0]);
if (major < 20 || typeof URL.parse !== 'function') {
  process.stderr.write(`Node 20 (a late one, with URL.parse) or newer is needed, this is ${process.version}\n`);
  process.exit(1);
}

const { Provider, errors } = await import('oidc-provider');

// signingKey is a key for the access tokens that are JWTs.
function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'test' };
}

// metadata registers a client for the client_credentials grant only.
function metadata(client) {
  return {
    client_id: client.id,
    client_secret: client.secret,
    token_endpoint_auth_method: client.method,
    scope: client.scopes?.join(' ') || undefined,
    grant_types: ['client_credentials'],
    id_token_signed_response_alg: 'ES256', // never issued, but it must fit the key
    redirect_uris: [],
    response_types: [],
  };
}

// resourceServer describes what a resource indicator stands for.
function resourceServer(resource) {
  const known = settings.resources.find(({ identifier }) => identifier === resource);
  if (!known) {
    throw new errors.InvalidTarget('the resource is unknown');
  }
  return {
    audience: known.identifier,
    scope: known.scopes.join(' '),
    accessTokenTTL: known.lifetimeSeconds,
    accessTokenFormat: known.format,
    jwt: known.format === 'jwt' ? { sign: { alg: 'ES256' } } : undefined,
  };
}

const server = settings.tls
  ? https.createServer({ key: settings.tls.key, cert: settings.tls.certificate, minVersion: 'TLSv1.2' })
  : http.createServer();
await new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen(0, '127.0.0.1', resolve);
});
const issuer = `${settings.tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: settings.clients.map(metadata),
  scopes: settings.scopes,
  jwks: { keys: [signingKey()] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (ctx, client) => client.clientId === settings.introspector,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => settings.resources[0].identifier,
      getResourceServerInfo: (ctx, resource) => resourceServer(resource),
    },
  },
});
provider.on('server_error', (ctx, error) => process.stderr.write(`${error.stack}\n`));
server.on('request', provider.callback());

// Clients are only looked at when they come; a mistake in one is better told now.
for (const { id } of settings.clients) {
  await provider.Client.find(id);
}

process.stdout.write(`${JSON.stringify({ issuer })}\n`);
