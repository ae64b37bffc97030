// The clients of the authorization server, which may change while it runs.
import { randomUUID } from 'node:crypto';

// metadata is a client as RFC 7591 has it.
export function metadata(client) {
  return {
    client_id: client.id,
    client_secret: client.secret || undefined,
    token_endpoint_auth_method: client.method,
    token_endpoint_auth_signing_alg: client.algorithm || undefined,
    jwks: client.keys && { keys: client.keys },
    tls_client_auth_subject_dn: client.subjectDN || undefined,
    tls_client_auth_san_dns: client.subjectDNS || undefined,
    // What a token is bound to tells which certificate the client presented.
    tls_client_certificate_bound_access_tokens: client.method.includes('tls_client_auth') || undefined,
    scope: client.scopes?.join(' ') || undefined,
    grant_types: client.grants ?? ['client_credentials'],
    id_token_signed_response_alg: 'ES256', // never issued, but it must fit the key
    redirect_uris: client.redirectURIs ?? [],
    response_types: client.redirectURIs ? ['code'] : [],
    application_type: client.redirectURIs ? 'native' : 'web',
    // The server keeps what it has made of equal metadata; these are never equal.
    client_name: randomUUID(),
  };
}

// newAdapter keeps everything but the clients in a store of its own.
export function newAdapter(clients) {
  const stored = new Map();
  return (model) => {
    if (model === 'Client') {
      return { find: async (id) => clients.get(id) };
    }
    const own = `${model}:`;
    // the rest is found by what it holds; there is never much of it
    const search = (key, value) => [...stored].find(([name, payload]) => name.startsWith(own) && payload[key] === value)?.[1];
    return {
      find: async (id) => stored.get(own + id),
      findByUid: async (uid) => search('uid', uid),
      findByUserCode: async (userCode) => search('userCode', userCode),
      upsert: async (id, payload) => { stored.set(own + id, payload); },
      consume: async (id) => { stored.get(own + id).consumed = Math.floor(Date.now() / 1000); },
      destroy: async (id) => { stored.delete(own + id); },
      revokeByGrantId: async (grantId) => {
        for (const [name, payload] of stored) {
          if (name.startsWith(own) && payload.grantId === grantId) {
            stored.delete(name);
          }
        }
      },
    };
  };
}
