// DPoP-bound access tokens with their proofs, and logout tokens.
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EmbeddedJWK, calculateJwkThumbprint, decodeJwt, jwtVerify } from 'jose';
import { Browser, authorize, requestToken } from './browser.mjs';
import { generateProofKey, makeProof, sha256 } from './proof.mjs';
import { client, resource } from './setting.mjs';

/** A proof of the request, checked with jose. */
const prove = async (key, request) => {
  const token = makeProof(key, request);
  const { payload, protectedHeader } = await jwtVerify(token, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: [key.alg] });
  assert.equal(payload.ath, request.accessToken && sha256(request.accessToken));
  assert.equal(await calculateJwkThumbprint(protectedHeader.jwk), key.jkt);
  return { token, ...request };
};

/** What the provider's userinfo endpoint says to a proof: `accepted`, or an error. */
const askProvider = async (url, accessToken, proof) => {
  const response = await fetch(url, { headers: { authorization: `DPoP ${accessToken}`, dpop: proof } });
  const challenge = response.headers.get('www-authenticate') ?? '';
  await response.arrayBuffer();
  return {
    verdict: response.ok ? 'accepted' : challenge.match(/error="([^"]+)"/)?.[1] ?? `${response.status} ${challenge}`,
    nonce: response.headers.get('dpop-nonce'),
  };
};

/**
 * A login whose access token is bound to a key, and proofs by that key: one for the token endpoint and
 * one for the provider's userinfo endpoint, both accepted by the provider, and one for an API.
 */
export const bindToken = async (issuer, { alg, user, proofAlg }) => {
  const clientId = client('dpop', alg);
  const key = generateProofKey(proofAlg);
  key.jkt = await calculateJwkThumbprint(key.jwk);
  const proofs = [];
  const redeem = async (asked) => {
    const { exchange } = await authorize(issuer, { clientId, user, responseType: 'code', ...asked });
    const proof = await prove(key, { method: 'POST', url: `${issuer}/token` });
    const answer = await requestToken(issuer, clientId, exchange, { dpop: proof.token });
    assert.equal(answer.token_type, 'DPoP');
    return { proof, accessToken: answer.access_token };
  };

  const { proof, accessToken } = await redeem({ resource: resource(alg) });
  assert.deepEqual(decodeJwt(accessToken).cnf, { jkt: key.jkt });
  proofs.push({ what: 'token endpoint', ...proof });
  proofs.push({ what: 'API', ...await prove(key, { method: 'GET', url: `${resource(alg)}/~alice/17`, accessToken }) });

  // The userinfo endpoint accepts opaque tokens, and requires a nonce.
  const { accessToken: opaque } = await redeem({});
  const request = { method: 'GET', url: `${issuer}/me`, accessToken: opaque };
  const ask = (made) => askProvider(request.url, opaque, made);
  const { verdict, nonce } = await ask(makeProof(key, request));
  assert.equal(verdict, 'use_dpop_nonce');
  const accepted = await prove(key, { ...request, nonce });
  assert.equal((await ask(accepted.token)).verdict, 'accepted');
  proofs.push({ what: 'userinfo', ...accepted });

  // Signed by the same key, and wrong: the provider refuses each, and so must claimgate.
  const asked = { ...request, nonce };
  const other = generateProofKey(proofAlg);
  const privateJwk = key.privateKey.export({ format: 'jwk' });
  const wrong = [];
  for (const [what, expected, made] of [
    ['typ JWT', 'token_type', makeProof(key, asked, { header: { typ: 'JWT' } })],
    ['no typ', 'token_type', makeProof(key, asked, { header: { typ: undefined } })],
    ['a private key', 'key_rejected', makeProof(key, asked, { header: { jwk: privateJwk } })],
    ['a key that did not sign', 'invalid_signature', makeProof(key, asked, { header: { jwk: other.jwk } })],
    ['alg none', 'algorithm_not_allowed', makeProof(key, asked, { header: { alg: 'none' } })],
    ['alg HS256', 'algorithm_not_allowed', makeProof(key, asked, { header: { alg: 'HS256' } })],
    ['another method', 'proof_mismatch', makeProof(key, { ...asked, method: 'POST' })],
    ['a lower-case method', 'proof_mismatch', makeProof(key, { ...asked, method: 'get' })],
    ['another path', 'proof_mismatch', makeProof(key, { ...asked, url: `${issuer}/token` })],
    ['another host', 'proof_mismatch', makeProof(key, { ...asked, url: `${issuer.replace('127.0.0.1', 'localhost')}/me` })],
    ['https', 'proof_mismatch', makeProof(key, { ...asked, url: `${issuer.replace('http:', 'https:')}/me` })],
    ['a path that is no URL', 'proof_mismatch', makeProof(key, { ...asked, url: '/me' })],
    ['another access token', 'hash_mismatch', makeProof(key, { ...asked, accessToken })],
    ['no ath', 'missing_claim', makeProof(key, asked, { claims: { ath: undefined } })],
    ['no jti', 'missing_claim', makeProof(key, asked, { claims: { jti: undefined } })],
    ['no htm', 'missing_claim', makeProof(key, asked, { claims: { htm: undefined } })],
    ['no htu', 'missing_claim', makeProof(key, asked, { claims: { htu: undefined } })],
    ['no iat', 'missing_claim', makeProof(key, asked, { claims: { iat: undefined } })],
    ['an iat that is no number', 'claim_type', makeProof(key, asked, { claims: { iat: 'now' } })],
    ['another nonce', 'nonce_mismatch', makeProof(key, { ...asked, nonce: randomUUID() })],
    ['no nonce', 'missing_claim', makeProof(key, { ...asked, nonce: undefined })],
  ]) {
    const { verdict: refusal } = await ask(made);
    assert.equal(refusal, /nonce$/.test(what) ? 'use_dpop_nonce' : 'invalid_dpop_proof', `${what}: ${refusal}`);
    wrong.push({ what, expected, token: made, ...asked });
  }

  return {
    use: 'access', alg, flow: `bound by ${proofAlg}`, user, token: accessToken, client_id: clientId,
    audience: resource(alg), jkt: key.jkt, proof_alg: proofAlg, proofs, wrong,
    // For a request with this token, but by a key that it is not bound to.
    stranger: makeProof(other, { method: 'GET', url: `${resource(alg)}/~alice/17`, accessToken }),
    // By the right key, but for another of its tokens.
    swapped: makeProof(key, { method: 'GET', url: `${resource(alg)}/~alice/17`, accessToken: opaque }),
  };
};

/** One session with two clients, ended at the provider: the logout tokens that it sends to both. */
export const logOut = async (issuer, jwks, receivedFile, { alg, user }) => {
  const browser = new Browser();
  const clientIds = ['logout', 'logout-sid'].map((purpose) => client(purpose, alg));
  const idTokens = {};
  for (const clientId of clientIds) {
    const { exchange } = await authorize(issuer, { clientId, user, responseType: 'code', browser });
    idTokens[clientId] = (await requestToken(issuer, clientId, exchange)).id_token;
  }
  const lines = () => readFileSync(receivedFile, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const before = lines().length;
  await browser.endSession(issuer, idTokens[clientIds[0]]);
  const received = lines().slice(before);
  assert.deepEqual(received.map((one) => one.client_id).sort(), [...clientIds].sort());

  return Promise.all(received.map(async ({ client_id: clientId, token }) => {
    const { payload, protectedHeader } = await jwtVerify(token, jwks, {
      issuer, audience: clientId, subject: user, typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti'],
    });
    assert.equal(protectedHeader.alg, alg);
    assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
    assert.equal(payload.nonce, undefined);
    // The session's ID is the one that the client's ID token had.
    const { sid } = decodeJwt(idTokens[clientId]);
    assert.equal(payload.sid, sid);
    assert.equal(sid !== undefined, clientId.startsWith('logout-sid'));
    return {
      use: 'logout', alg, flow: sid ? 'with sid' : 'without sid', user, token, client_id: clientId,
      id_token: idTokens[clientId],
    };
  }));
};
