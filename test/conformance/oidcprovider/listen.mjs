// Where the authorization server listens, and how its TLS treats clients.
import http from 'node:http';
import https from 'node:https';

const authorizationServer = '/.well-known/oauth-authorization-server';
const openIDProvider = '/.well-known/openid-configuration';

// listen opens a port of loopback. What present is given is served from then on.
async function listen(tls, client = {}) {
  const secure = (own) => ({ key: own.key, cert: own.certificate, minVersion: 'TLSv1.2', ...client });
  const server = tls ? https.createServer(secure(tls)) : http.createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    server,
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`,
    present: (own) => server.setSecureContext(secure(own)),
  };
}

// listenAll opens the ports: one for all clients, and, where there is a CA for
// them, one that asks for certificates and takes any, and a strict one that ends
// the handshake where the CA does not vouch.
export async function listenAll({ tls, clientCA }) {
  const listeners = { main: await listen(tls) };
  if (clientCA) {
    listeners.mutual = await listen(tls, { ca: clientCA, requestCert: true, rejectUnauthorized: false });
    listeners.strict = await listen(tls, { ca: clientCA, requestCert: true, rejectUnauthorized: true });
  }
  return listeners;
}

// mount serves everything under the path of the issuer. Metadata are in one place
// only: where RFC 8414 section 3.1 has them, or where OpenID Connect Discovery has.
export function mount({ path, openID }, handle) {
  const place = openID ? path + openIDProvider : authorizationServer + path;
  return (request, response) => {
    const url = request.url === place ? path + openIDProvider : request.url;
    if (!url.startsWith(`${path}/`) || (url.includes('/.well-known/') && request.url !== place)) {
      response.writeHead(404).end();
      return;
    }
    request.originalUrl = url;
    request.url = url.slice(path.length);
    handle(request, response);
  };
}

// mutualTLS is the configuration of the feature: what a proxy would tell the server
// by headers, the connection tells it here.
export const mutualTLS = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.(),
  certificateAuthorized: (ctx) => ctx.socket.authorized,
  certificateSubjectMatches: (ctx, property, expected) => {
    const certificate = ctx.socket.getPeerX509Certificate();
    switch (property) {
      case 'tls_client_auth_subject_dn': // RFC 4514 begins with the last
        return certificate.subject.split('\n').reverse().join(',') === expected;
      case 'tls_client_auth_san_dns':
        return certificate.checkHost(expected, { subject: 'never', wildcards: false }) !== undefined;
      default:
        return false;
    }
  },
};
