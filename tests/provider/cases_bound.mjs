// The cases of DPoP-bound access tokens, their proofs, and logout tokens.
import { claims, flipBit, signature, withClaims, withSignature } from './jws.mjs';
import { algorithmOf, client, resource } from './setting.mjs';

/** `peers` are access tokens of the same algorithm that were issued otherwise. */
export const boundCases = (check, token, { peers, withProof }) => {
  const unbound = peers.find(({ jkt }) => !jkt);
  const other = peers.find(({ jkt }) => jkt);
  check('nothing is known of its key', 'confirmation_required', { confirmation: undefined });
  check('another key', 'confirmation_mismatch', { confirmation: { jkt: other.jkt } });
  check('told to ignore its key', 'valid', { confirmation: 'ignore' });
  check('a key for a token that is bound to none', 'missing_claim', { token: unbound.token });

  if (!withProof) return;
  const { token: proof, method, url } = token.proofs.find(({ what }) => what === 'API');
  const withRequest = (changes) => ({ confirmation: undefined, dpop: proof, method, url, ...changes });
  const made = claims(proof).iat;
  check('with its proof', 'valid', withRequest());
  check('with its proof, for another method', 'proof_mismatch', withRequest({ method: 'PUT' }));
  check('with its proof, for another URL', 'proof_mismatch', withRequest({ url: `${url}8` }));
  check("with a stranger's proof", 'confirmation_mismatch', withRequest({ dpop: token.stranger }));
  check("with another token's proof", 'hash_mismatch', withRequest({ dpop: token.swapped }));
  check('with a proof that has expired', 'proof_too_old', withRequest({ now: made + 121 }));
  check('with a proof that was changed', 'invalid_signature', withRequest({
    dpop: withClaims(proof, { iat: made + 1 }),
  }));
  check('with an access token for a proof', 'token_type', withRequest({ dpop: unbound.token }));
};

const madeAt = (proof) => [claims(proof).iat].find(Number.isInteger) ?? Math.floor(Date.now() / 1000);

/** A proof's key comes in its header: neither issuer nor key set. */
export const proofCases = (prefix, token, { add, algorithms, issuer, jwks }) => {
  const fields = ({ token: proof, method, url, accessToken, nonce }) => ({
    token: proof,
    token_use: 'dpop',
    now: madeAt(proof) + 1,
    method,
    url,
    ...(accessToken && { access_token: accessToken }),
    ...(nonce && { proof_nonce: nonce }),
    ...(algorithms && { algorithms }),
  });
  const own = algorithmOf(token.proof_alg);

  for (const made of token.proofs) {
    const { token: proof, url, accessToken, nonce } = made;
    const check = (what, verdict, changes) => {
      add(`${prefix}, ${made.what}: ${what}`, verdict, { ...fields(made), ...changes });
    };
    const { iat } = claims(proof);
    check('genuine', 'valid');

    check('another method', 'proof_mismatch', { method: 'DELETE' });
    check('the method in lower case', 'proof_mismatch', { method: made.method.toLowerCase() });
    check('with a query', 'valid', { url: `${url}?q=1` });
    check('with a fragment', 'valid', { url: `${url}#f` });
    check('the scheme in upper case', 'valid', { url: url.replace(/^https?/, (scheme) => scheme.toUpperCase()) });
    check('a path in upper case', 'proof_mismatch', { url: url.replace(/[^/]+$/, (last) => `${last}X`) });
    check('a slash at the end', 'proof_mismatch', { url: `${url}/` });
    check('another scheme', 'proof_mismatch', {
      url: url.replace(/^https?/, (scheme) => (scheme === 'http' ? 'https' : 'http')),
    });
    check('another port', 'proof_mismatch', { url: url.replace(/^(https?:\/\/[^/:]+)(:\d+)?/, '$1:81') });
    check('another host', 'proof_mismatch', { url: url.replace(/\/\/[^/:]+/, '//other.example') });
    if (url.startsWith('https://api.example/')) {
      check('the host in upper case', 'valid', { url: url.replace('api.example', 'API.example') });
      check('the port that https has', 'valid', { url: url.replace('api.example', 'api.example:443') });
      check('a tilde that is encoded', 'valid', { url: url.replace('~', '%7e') });
      check('a slash that is encoded', 'proof_mismatch', { url: url.replace('~alice/', '~alice%2f') });
    }

    if (accessToken) check('another access token', 'hash_mismatch', { access_token: `${accessToken}0` });
    else check('an access token that it does not name', 'missing_claim', { access_token: token.token });
    if (nonce) check('another nonce', 'nonce_mismatch', { proof_nonce: `${nonce}0` });
    else check('a nonce that it does not have', 'missing_claim', { proof_nonce: 'n-0S6_WzA2Mj' });

    check('the last moment', 'valid', { now: iat + 120 });
    check('a second later', 'proof_too_old', { now: iat + 121 });
    check('the last moment of max_age', 'valid', { max_age: 10, leeway: 0, now: iat + 10 });
    check('a second past max_age', 'proof_too_old', { max_age: 10, leeway: 0, now: iat + 11 });
    check('made in a minute', 'valid', { now: iat - 60 });
    check('made in more than a minute', 'issued_in_future', { now: iat - 61 });

    check('another jti', 'invalid_signature', { token: withClaims(proof, { jti: 'another' }) });
    check('a bit of the signature changed', 'invalid_signature', {
      token: withSignature(proof, flipBit(signature(proof), 0)),
    });
    const peer = token.proofs.find(({ what }) => what !== made.what);
    check('the signature of another proof', 'invalid_signature', {
      token: withSignature(proof, signature(peer.token)),
    });
    if (algorithms) {
      check('its algorithm alone', 'valid', { algorithms: [own] });
      check('every other algorithm', 'algorithm_not_allowed', {
        algorithms: algorithms.filter((alg) => alg !== own),
      });
    }
    // The issuer's key of that algorithm has not signed it.
    const request = { method: undefined, url: undefined, access_token: undefined, proof_nonce: undefined };
    const asToken = { ...fields(made), ...request, issuer, jwks };
    const refusal = algorithms || own === 'RS256' ? 'invalid_signature' : 'algorithm_not_allowed';
    add(`${prefix}, ${made.what}: as an access token`, refusal, {
      ...asToken, token_use: 'access', audience: token.audience,
    });
    add(`${prefix}, ${made.what}: as an ID token`, refusal, {
      ...asToken, token_use: 'id', client_id: token.client_id,
    });
  }
  for (const made of token.wrong) {
    add(`${prefix}, refused by the provider: ${made.what}`, made.expected, fields(made));
  }
  const { token: proof, ...request } = token.proofs[1];
  add(`${prefix}: its access token as a proof`, 'token_type', fields({ ...request, token: token.token }));
};

export const logoutCases = (check, token, { peers }) => {
  check('another client', 'audience_mismatch', { client_id: client('code', token.alg) });
  check('the other client of the session', 'audience_mismatch', {
    client_id: peers.find(({ client_id: id }) => id !== token.client_id).client_id,
  });
  check('as an ID token', 'token_type', { token_use: 'id' });
  const asAccessToken = { token_use: 'access', client_id: undefined };
  check('as an access token', 'audience_mismatch', { ...asAccessToken, audience: resource(token.alg) });
  check('as an access token of the client', 'token_type', { ...asAccessToken, audience: token.client_id });
  check("the session's ID token as a logout token", 'missing_claim', { token: token.id_token });
};
