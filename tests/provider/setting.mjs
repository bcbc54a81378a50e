// What the provider is configured with, and what the scripts ask of it.

/** The algorithms, and the names under which each appears in a header. RFC 9864 gives EdDSA a second name. */
export const HEADER_NAMES = {
  RS256: ['RS256'],
  PS256: ['PS256'],
  ES256: ['ES256'],
  EdDSA: ['EdDSA', 'Ed25519'],
};
export const ALGORITHMS = Object.keys(HEADER_NAMES);
const NAMES = Object.values(HEADER_NAMES).flat();

/** The algorithm that a header's `alg` names. */
export const algorithmOf = (name) => ALGORITHMS.find((alg) => HEADER_NAMES[alg].includes(name));

/** Never requested: every redirect is read from the `Location` header. */
export const REDIRECT_URI = 'https://app.example/callback';
export const SECRET = 'a secret that protects nothing';
export const SCOPES = 'read:patients write:patients';

export const resource = (name) => `https://api.example/${name}`;
export const client = (flow, name) => `${flow}-${name}`;

const RESPONSE_TYPES = {
  code: ['code'],
  hybrid: ['code id_token', 'code id_token token'],
};

/** The provider's clients: one for each purpose and each name of an algorithm. */
export const clients = (logoutReceiver) => NAMES.flatMap((name) => [
  ...Object.entries(RESPONSE_TYPES).map(([flow, response_types]) => ({
    client_id: client(flow, name),
    client_secret: SECRET,
    redirect_uris: [REDIRECT_URI],
    response_types,
    grant_types: flow === 'hybrid' ? ['authorization_code', 'implicit'] : ['authorization_code'],
    id_token_signed_response_alg: name,
    require_auth_time: true,
  })),
  {
    client_id: client('machine', name),
    client_secret: SECRET,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
    scope: SCOPES,
  },
  {
    client_id: client('dpop', name),
    client_secret: SECRET,
    redirect_uris: [REDIRECT_URI],
    id_token_signed_response_alg: name,
    dpop_bound_access_tokens: true,
  },
  // Told by a POST to the receiver when a session ends, one of them with the session's ID.
  ...['logout', 'logout-sid'].map((purpose) => ({
    client_id: client(purpose, name),
    client_secret: SECRET,
    redirect_uris: [REDIRECT_URI],
    id_token_signed_response_alg: name,
    backchannel_logout_uri: `${logoutReceiver}/${client(purpose, name)}`,
    backchannel_logout_session_required: purpose === 'logout-sid',
  })),
]);

/** A resource server whose access tokens are JWTs, signed with the algorithm that its URL ends with. */
export const resourceServer = (url) => {
  const name = NAMES.find((candidate) => resource(candidate) === url);
  return name && {
    audience: url,
    scope: SCOPES,
    accessTokenFormat: 'jwt',
    accessTokenTTL: 3600,
    jwt: { sign: { alg: name } },
  };
};
