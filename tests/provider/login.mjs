// Logs users in at a running provider and keeps what they get: node login.mjs ISSUER NAME RECEIVED > FILE
//
// NAME is that of the keys which the provider signs with, RECEIVED the file of the logout receiver. Every
// token is checked with jose and with node:crypto before it is written.
import { createHash } from 'node:crypto';
import { strict as assert } from 'node:assert';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { HEADER_NAMES, SCOPES, algorithmOf, client, resource } from './setting.mjs';
import { bindToken, logOut } from './bound.mjs';
import { authorize, requestToken } from './browser.mjs';

const [, , issuer, name, receivedFile] = process.argv;
const jwksText = await (await fetch(`${issuer}/jwks`)).text();
const jwks = createLocalJWKSet(JSON.parse(jwksText));
const HASHES = { RS256: 'sha256', PS256: 'sha256', ES256: 'sha256', EdDSA: 'sha512' };

const halfHash = (alg, text) => {
  const hash = createHash(HASHES[algorithmOf(alg)]).update(text).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
};

const checkHash = (claim, alg, text) => {
  if (text === undefined) return assert.equal(claim, undefined);
  assert.equal(claim.length, HASHES[algorithmOf(alg)] === 'sha512' ? 43 : 22);
  return assert.equal(claim, halfHash(alg, text));
};

const tokens = [];

const keepIdToken = async (alg, flow, { user, token, clientId, nonce, code, accessToken, sentBeside = {} }) => {
  const { payload, protectedHeader } = await jwtVerify(token, jwks, { issuer, audience: clientId, subject: user });
  assert.equal(protectedHeader.alg, alg);
  assert.ok(protectedHeader.kid.startsWith(`${name}-`));
  assert.equal(protectedHeader.typ, undefined);
  assert.equal(payload.nonce, nonce);
  assert.ok(Number.isInteger(payload.auth_time));
  checkHash(payload.at_hash, alg, accessToken);
  checkHash(payload.c_hash, alg, code);
  tokens.push({
    use: 'id', alg, flow, user, token, client_id: clientId, nonce,
    code: code ?? null, access_token: accessToken ?? null, sent_beside: sentBeside,
  });
};

const keepAccessToken = async (alg, flow, { user, token, clientId }) => {
  const audience = resource(alg);
  const { payload, protectedHeader } = await jwtVerify(token, jwks, {
    issuer, audience, subject: user, typ: 'at+jwt', requiredClaims: ['client_id', 'iat', 'jti', 'exp'],
  });
  assert.equal(protectedHeader.alg, alg);
  assert.ok(protectedHeader.kid.startsWith(`${name}-`));
  assert.equal(payload.client_id, clientId);
  assert.equal(payload.scope, 'read:patients');
  tokens.push({ use: 'access', alg, flow, user, token, client_id: clientId, audience });
};

for (const alg of Object.values(HEADER_NAMES).flat()) {
  for (const user of ['alice', 'bob']) {
    // Code flow: both tokens come from the token endpoint.
    let clientId = client('code', alg);
    let login = await authorize(issuer, { clientId, user, responseType: 'code', resource: resource(alg) });
    let answer = await requestToken(issuer, clientId, login.exchange);
    await keepIdToken(alg, 'code', {
      user, token: answer.id_token, clientId, nonce: login.nonce,
      sentBeside: { code: login.answer.code, access_token: answer.access_token },
    });
    await keepAccessToken(alg, 'code', { user, token: answer.access_token, clientId });

    // Hybrid flow: an ID token beside the code, one more from the token endpoint.
    clientId = client('hybrid', alg);
    let responseType = 'code id_token';
    login = await authorize(issuer, { clientId, user, responseType, resource: resource(alg) });
    await keepIdToken(alg, responseType, {
      user, token: login.answer.id_token, clientId, nonce: login.nonce, code: login.answer.code,
    });
    answer = await requestToken(issuer, clientId, login.exchange);
    await keepIdToken(alg, `${responseType} (token endpoint)`, {
      user, token: answer.id_token, clientId, nonce: login.nonce,
      sentBeside: { code: login.answer.code, access_token: answer.access_token },
    });
    await keepAccessToken(alg, `${responseType} (token endpoint)`, { user, token: answer.access_token, clientId });

    // Hybrid flow with an access token beside the code: a JWT, or opaque without a resource.
    responseType = 'code id_token token';
    for (const flow of [responseType, `${responseType} (opaque)`]) {
      const isOpaque = flow !== responseType;
      const asked = { clientId, user, responseType, ...(isOpaque ? {} : { resource: resource(alg) }) };
      const { answer: { id_token: token, code, access_token: accessToken }, nonce } = await authorize(issuer, asked);
      await keepIdToken(alg, flow, { user, token, clientId, nonce, code, accessToken });
      if (isOpaque) {
        assert.doesNotMatch(accessToken, /\./);
        tokens.push({ use: 'opaque', alg, flow, user, token: accessToken });
      } else {
        await keepAccessToken(alg, flow, { user, token: accessToken, clientId });
      }
    }
  }

  // A machine, by itself.
  const clientId = client('machine', alg);
  const form = { grant_type: 'client_credentials', scope: 'read:patients', resource: resource(alg) };
  const { access_token: token, ...rest } = await requestToken(issuer, clientId, form);
  assert.equal(rest.id_token, undefined);
  await keepAccessToken(alg, 'machine', { user: clientId, token, clientId });

  // Bound to a key by an ES256 proof, as nearly all are, and by one of the same algorithm.
  for (const [user, proofAlg] of [['alice', 'ES256'], ['bob', alg]]) {
    const bound = await bindToken(issuer, { alg, user, proofAlg });
    await keepAccessToken(alg, bound.flow, { ...bound, clientId: bound.client_id });
    Object.assign(tokens.at(-1), bound);
  }
  for (const user of ['alice', 'bob']) tokens.push(...await logOut(issuer, jwks, receivedFile, { alg, user }));
}

// All kids differ, and no private key is published.
const { keys } = JSON.parse(jwksText);
assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length);
assert.ok(keys.every((key) => !('d' in key)));
assert.ok(SCOPES.includes('read:patients'));
for (const { use, token } of tokens) if (use !== 'opaque') assert.ok(decodeJwt(token).exp > Date.now() / 1000);

process.stdout.write(JSON.stringify({ issuer, name, jwks: jwksText, tokens }));
