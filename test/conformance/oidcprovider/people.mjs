// The grants that a person begins, by the pages that oidc-provider has for a start:
// whoever logs in there is whom he says he is.

// forPeople is what the server's configuration has for them, if there are any.
export function forPeople({ people, deviceSeconds }) {
  if (!people) {
    return {};
  }
  return {
    configuration: {
      findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
      rotateRefreshToken: true,
      ttl: { DeviceCode: deviceSeconds },
    },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
    },
  };
}

// count keeps the numbers of what happens to refresh tokens.
export function count(provider) {
  const counts = { refreshed: 0, reused: 0, revoked: 0 };
  provider.on('refresh_token.consumed', () => { counts.refreshed += 1; });
  provider.on('grant.revoked', () => { counts.revoked += 1; });
  provider.on('grant.error', (ctx, error) => {
    if (error.error_detail === 'refresh token already used') {
      counts.reused += 1;
    }
  });
  return counts;
}
