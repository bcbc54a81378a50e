// Turns the tokens of the logins into cases: node cases.mjs OLD NEW NEW_JWKS CASES EXPECTED
//
// OLD are the logins before the keys were rotated, NEW those after it, while the old keys were still
// published; NEW_JWKS is the key set without them. Environment: ALGORITHMS, BACKENDS, KINDS.
import { readFileSync, writeFileSync } from 'node:fs';
import { strict as assert } from 'node:assert';
import { boundCases, logoutCases, proofCases } from './cases_bound.mjs';
import {
  claims, flipBit, keysOf, kidOf, renamed, signature, signedWithPublicKey, withClaims, withHeader, withKey,
  withSignature, withoutKey,
} from './jws.mjs';
import { ALGORITHMS, HEADER_NAMES, algorithmOf, client, resource } from './setting.mjs';

const [, , oldFile, newFile, newJwksFile, casesFile, expectedFile] = process.argv;
const words = (name) => process.env[name].split(' ').filter(Boolean);
const [algorithms, backends, kinds] = ['ALGORITHMS', 'BACKENDS', 'KINDS'].map(words);
const logins = { old: JSON.parse(readFileSync(oldFile)), new: JSON.parse(readFileSync(newFile)) };
const jwks = { old: logins.old.jwks, both: logins.new.jwks, new: readFileSync(newJwksFile, 'utf8') };
const { issuer } = logins.old;
assert.equal(issuer, logins.new.issuer);
assert.ok(algorithms.every((alg) => ALGORITHMS.includes(alg)) && algorithms.length > 0);
assert.ok(kinds.every((kind) => ['id', 'access', 'logout', 'dpop'].includes(kind)) && kinds.length > 0);

/** Without it, cases have no field `algorithms`: the key type does RS256 alone. */
const isNarrowable = algorithms.join() !== 'RS256';

// --- cases ------------------------------------------------------------------------------------------

const cases = [];
const expected = {};
const add = (id, verdict, fields) => {
  for (const backend of backends) {
    const name = `${id} (${backend})`;
    assert.ok(!(name in expected), name);
    expected[name] = verdict;
    cases.push({ id: name, ...fields, backend });
  }
};

/** A case of a genuine token, five seconds after it was issued. */
const genuine = (token, keys) => ({
  token: token.token,
  token_use: token.use,
  jwks: keys,
  issuer,
  now: claims(token.token).iat + 5,
  ...(isNarrowable && { algorithms: ALGORITHMS }),
  ...(token.use === 'access'
    ? { audience: token.audience, profile: 'rfc9068', ...(token.jkt && { confirmation: { jkt: token.jkt } }) }
    : { client_id: token.client_id }),
  ...(token.use === 'id' && {
    nonce: token.nonce,
    ...(token.code && { code: token.code }),
    ...(token.access_token && { access_token: token.access_token }),
  }),
});

/** Adds variations of a token's case with the old keys. */
const checkOf = (name, token) => (what, verdict, changes) => {
  add(`${name}: ${what}`, verdict, { ...genuine(token, jwks.old), ...changes });
};

/** Times, issuer, signature, header and keys: the same for every kind. */
const commonCases = (name, token, { tokens }) => {
  const { alg } = token;
  const text = token.token;
  const keys = jwks.old;
  const kid = kidOf(keys, alg);
  const { iat, exp, sub } = claims(text);
  const check = checkOf(name, token);

  check('a second before it expires, with leeway', 'valid', { now: exp + 59 });
  check('expired, with leeway', 'expired', { now: exp + 60 });
  check('a second before it expires', 'valid', { now: exp - 1, leeway: 0 });
  check('expired', 'expired', { now: exp, leeway: 0 });
  check('issued in a minute', 'valid', { now: iat - 60 });
  check('issued in more than a minute', 'issued_in_future', { now: iat - 61 });

  check('issuer with a slash', 'issuer_mismatch', { issuer: `${issuer}/` });
  check('issuer without the port', 'issuer_mismatch', { issuer: issuer.replace(/:\d+$/, '') });
  check('issuer with https', 'issuer_mismatch', { issuer: issuer.replace('http:', 'https:') });
  check('issuer by another name', 'issuer_mismatch', { issuer: issuer.replace('127.0.0.1', 'localhost') });

  const peer = tokens.find((other) => other.use === token.use && other.alg === alg && other.token !== text);
  const others = tokens.filter((other) => other.use === token.use && algorithmOf(other.alg) !== algorithmOf(alg)
    && other.flow === token.flow && other.user !== 'bob');
  assert.ok(peer && others.length > 2);
  check('another subject', 'invalid_signature', { token: withClaims(text, { sub: `${sub}0` }) });
  check('a later exp', 'invalid_signature', { token: withClaims(text, { exp: exp + 1 }) });
  check('a header with one member more', 'invalid_signature', { token: withHeader(text, { x: 1 }) });
  check('the signature of another token', 'invalid_signature', {
    token: withSignature(text, signature(peer.token)),
  });
  for (const other of others) {
    check(`the signature of a token of ${other.alg}`, 'invalid_signature', {
      token: withSignature(text, signature(other.token)),
    });
  }
  const bytes = signature(text);
  check('the first byte of the signature changed', 'invalid_signature', {
    token: withSignature(text, flipBit(bytes, 0)),
  });
  check('the last byte of the signature changed', 'invalid_signature', {
    token: withSignature(text, flipBit(bytes, bytes.length - 1)),
  });
  check('a signature without its last byte', 'invalid_signature', {
    token: withSignature(text, bytes.subarray(0, -1)),
  });
  check('a signature with one byte more', 'invalid_signature', {
    token: withSignature(text, Buffer.concat([bytes, Buffer.alloc(1)])),
  });
  check('no signature', 'malformed_token', { token: withSignature(text, Buffer.alloc(0)) });

  check('a critical parameter', 'critical_header', { token: withHeader(text, { crit: ['x'], x: 1 }) });
  check('alg none', 'algorithm_not_allowed', { token: withHeader(text, { alg: 'none' }) });
  check('HS256 with the public key', 'algorithm_not_allowed', {
    token: signedWithPublicKey(text, keysOf(keys).find((jwk) => jwk.kid === kid)),
  });
  for (const other of ALGORITHMS.filter((candidate) => candidate !== algorithmOf(alg))) {
    check(`a header that says ${other}`, 'algorithm_not_allowed', { token: withHeader(text, { alg: other }) });
    if (isNarrowable) {
      check(`a header with the key of ${other}`, 'algorithm_not_allowed', {
        token: withHeader(text, { kid: kidOf(keys, other) }),
      });
      check(`a header that says ${other} and has its key`, 'invalid_signature', {
        token: withHeader(text, { alg: other, kid: kidOf(keys, other) }),
      });
    }
  }

  check("another instance's keys", 'unknown_key', { jwks: jwks.new });
  check("another instance's keys under the same names", 'invalid_signature', {
    jwks: renamed(jwks.new, 'new', 'old'),
  });
  check('the key of one more name', 'unknown_key', { jwks: withKey(keys, kid, { kid: `${kid}-2` }) });
  if (isNarrowable) {
    check('the key is withdrawn', 'unknown_key', { jwks: withoutKey(keys, kid) });
    check('the key is for encryption', 'unknown_key', { jwks: withKey(keys, kid, { use: 'enc' }) });
    check('its algorithm alone', 'valid', { algorithms: [algorithmOf(alg)] });
    for (const other of ALGORITHMS.filter((candidate) => candidate !== algorithmOf(alg))) {
      check(`${other} alone`, 'algorithm_not_allowed', { algorithms: [other] });
    }
    check('every other algorithm', 'algorithm_not_allowed', {
      algorithms: ALGORITHMS.filter((candidate) => candidate !== algorithmOf(alg)),
    });
    if (alg === 'RS256' || alg === 'PS256') {
      check('the key says the other padding', 'algorithm_not_allowed', {
        jwks: withKey(keys, kid, { alg: alg === 'RS256' ? 'PS256' : 'RS256' }),
      });
    }
  }
};

const idTokenCases = (name, token, { tokens }) => {
  const check = checkOf(name, token);
  const { auth_time: authTime } = claims(token.token);
  const peer = tokens.find((other) => other.use === 'id' && other.alg === token.alg && other.flow === token.flow
    && other.user !== token.user);

  check('another client', 'audience_mismatch', { client_id: client('machine', token.alg) });
  check('a client whose name goes on', 'audience_mismatch', { client_id: `${token.client_id}0` });
  check('another nonce', 'nonce_mismatch', { nonce: peer.nonce });
  check('a nonce that goes on', 'nonce_mismatch', { nonce: `${token.nonce}0` });
  check('no nonce was sent', 'unexpected_claim', { nonce: null });
  check('the nonce is ignored', 'valid', { nonce: undefined });
  check('the last moment of max_age', 'valid', { max_age: 30, now: authTime + 90 });
  check('a second past max_age', 'authentication_too_old', { max_age: 30, now: authTime + 91 });
  check('max_age of 0, now', 'valid', { max_age: 0, now: authTime + 60 });
  check('max_age of 0, a second later', 'authentication_too_old', { max_age: 0, now: authTime + 61 });

  const asAccessToken = {
    token_use: 'access', client_id: undefined, nonce: undefined, code: undefined, access_token: undefined,
  };
  check('as an access token', 'audience_mismatch', {
    ...asAccessToken, audience: resource(token.alg), profile: 'rfc9068',
  });
  check('as an access token of the client', 'token_type', {
    ...asAccessToken, audience: token.client_id, profile: 'rfc9068',
  });
  check('as an access token of the client, any profile', 'token_type', {
    ...asAccessToken, audience: token.client_id,
  });

  if (token.access_token) {
    check('the access token alone', 'valid', { code: undefined });
    check('another access token', 'hash_mismatch', { access_token: peer.access_token });
    check('a shorter access token', 'hash_mismatch', { access_token: token.access_token.slice(0, -1) });
    check('the code for the access token', 'hash_mismatch', { access_token: token.code, code: undefined });
  } else {
    // OpenID Connect Core §3.1.3.6: `at_hash` is optional where the access token comes over TLS.
    const accessToken = token.sent_beside.access_token ?? peer.token;
    check('an access token that it does not name', 'missing_claim', { access_token: accessToken });
  }
  if (token.code) {
    check('the code alone', 'valid', { access_token: undefined });
    check('another code', 'hash_mismatch', { code: peer.code });
    check('a shorter code', 'hash_mismatch', { code: token.code.slice(0, -1) });
    if (token.access_token) {
      check('the access token for the code', 'hash_mismatch', { code: token.access_token, access_token: undefined });
      check('code and access token exchanged', 'hash_mismatch', {
        code: token.access_token, access_token: token.code,
      });
      check('neither', 'valid', { code: undefined, access_token: undefined });
    }
  } else {
    check('a code that it does not name', 'missing_claim', { code: token.sent_beside.code });
  }
};

const accessTokenCases = (name, token) => {
  const check = checkOf(name, token);
  const { iat, sub } = claims(token.token);
  const isMachine = sub === token.client_id;

  check('without a profile', 'valid', { profile: undefined });
  check('another API', 'audience_mismatch', { audience: 'https://api.example/other' });
  check('the API with a slash', 'audience_mismatch', { audience: `${token.audience}/` });
  check('of this client', 'valid', { authorized_parties: [client('code', 'other'), token.client_id] });
  check('of other clients', 'authorized_party_mismatch', { authorized_parties: [client('code', 'other')] });
  check('its scope', 'valid', { scopes_all: ['read:patients'] });
  check('one of two scopes', 'valid', { scopes_any: ['write:patients', 'read:patients'] });
  check('both of two scopes', 'insufficient_scope', { scopes_all: ['write:patients', 'read:patients'] });
  check('part of a scope', 'insufficient_scope', { scopes_all: ['patients'] });
  check('of a user', isMachine ? 'subject_kind' : 'valid', { subject_kind: 'user' });
  check('of a machine', isMachine ? 'valid' : 'subject_kind', { subject_kind: 'client' });
  check('the last moment of max_token_age', 'valid', { max_token_age: 30, now: iat + 90 });
  check('a second past max_token_age', 'token_too_old', { max_token_age: 30, now: iat + 91 });

  const asIdToken = { token_use: 'id', audience: undefined, profile: undefined };
  check('as an ID token', 'audience_mismatch', { ...asIdToken, client_id: token.client_id });
  check('as an ID token for the API', 'token_type', { ...asIdToken, client_id: token.audience });
};

const chosen = (login) => login.tokens
  .filter(({ use, alg }) => kinds.includes(use) && algorithms.includes(algorithmOf(alg)));
const describe = (set, { use, alg, flow, user }) => `${use} ${set} ${alg} ${flow} ${user}`;

for (const token of chosen(logins.old)) {
  const name = describe('old', token);
  add(`${name}: genuine`, 'valid', genuine(token, jwks.old));
  add(`${name}: while both keys are published`, 'valid', genuine(token, jwks.both));
  add(`${name}: after the rotation`, 'unknown_key', genuine(token, jwks.new));
  const peers = logins.old.tokens.filter((other) => other.use === token.use && other.alg === token.alg
    && other.token !== token.token);
  const check = checkOf(name, token);
  if (token.jkt) {
    const isProofJudged = isNarrowable || token.proof_alg === 'RS256';
    boundCases(check, token, { peers, withProof: kinds.includes('dpop') && isProofJudged });
  } else if (token.user !== 'bob') {
    commonCases(name, token, logins.old);
    if (token.use === 'id') idTokenCases(name, token, logins.old);
    else if (token.use === 'access') accessTokenCases(name, token);
    else logoutCases(check, token, { peers });
  }
}
for (const token of chosen(logins.new)) {
  const name = describe('new', token);
  add(`${name}: while both keys are published`, 'valid', genuine(token, jwks.both));
  add(`${name}: after the rotation`, 'valid', genuine(token, jwks.new));
  add(`${name}: before the rotation`, 'unknown_key', genuine(token, jwks.old));
}
// Logins in which an access token was bound to a key left its proofs.
if (kinds.includes('dpop')) {
  for (const token of logins.old.tokens.filter(({ proofs }) => proofs)) {
    const { alg, user, proof_alg: proofAlg } = token;
    if (!algorithms.includes(algorithmOf(alg)) || !algorithms.includes(algorithmOf(proofAlg))) continue;
    const name = `dpop of ${proofAlg} for ${alg} ${user}`;
    proofCases(name, token, { add, algorithms: isNarrowable ? ALGORITHMS : undefined, issuer, jwks: jwks.old });
  }
}
// Nothing but RS256 is accepted where nothing is said.
for (const token of logins.old.tokens.filter(({ use }) => kinds.includes(use))) {
  add(`${describe('old', token)}: RS256 by default`, token.alg === 'RS256' ? 'valid' : 'algorithm_not_allowed', {
    ...genuine(token, jwks.old), algorithms: undefined,
  });
}
// Opaque access tokens are no JWTs.
const [alg] = HEADER_NAMES[algorithms[0]];
for (const { use, flow, user, token } of logins.old.tokens.filter((one) => one.use === 'opaque' && one.alg === alg)) {
  const fields = { token, jwks: jwks.old, issuer, now: Math.floor(Date.now() / 1000) };
  const name = `${use} old ${flow} ${user}`;
  if (kinds.includes('access')) {
    add(`${name}: as an access token`, 'opaque_token', { ...fields, token_use: 'access', audience: resource(alg) });
  }
  if (kinds.includes('id')) {
    add(`${name}: as an ID token`, 'opaque_token', { ...fields, token_use: 'id', client_id: client('hybrid', alg) });
  }
}

writeFileSync(casesFile, cases.map((line) => `${JSON.stringify(line)}\n`).join(''));
writeFileSync(expectedFile, `${JSON.stringify(expected, null, 1)}\n`);
