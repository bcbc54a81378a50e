// Tokens and key sets, taken apart and put together again.
import { createHmac, createPublicKey } from 'node:crypto';
import { algorithmOf } from './setting.mjs';

// --- tokens taken apart and put together ------------------------------------------------------------

const decode = (segment) => JSON.parse(Buffer.from(segment, 'base64url'));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
export const claims = (token) => decode(token.split('.')[1]);
export const signature = (token) => Buffer.from(token.split('.')[2], 'base64url');
export const withHeader = (token, members) => {
  const [header, ...rest] = token.split('.');
  return [encode({ ...decode(header), ...members }), ...rest].join('.');
};
export const withClaims = (token, members) => {
  const [header, payload, last] = token.split('.');
  return [header, encode({ ...decode(payload), ...members }), last].join('.');
};
export const withSignature = (token, bytes) => [...token.split('.').slice(0, 2), bytes.toString('base64url')].join('.');
export const flipBit = (bytes, at) => {
  const flipped = Buffer.from(bytes);
  flipped[at] ^= 1;
  return flipped;
};

// --- key sets ---------------------------------------------------------------------------------------

export const keysOf = (text) => JSON.parse(text).keys;
const jwkAlg = (jwk) => jwk.alg ?? 'EdDSA';
export const kidOf = (text, alg) => keysOf(text).find((jwk) => jwkAlg(jwk) === algorithmOf(alg)).kid;
/** The key set with one key changed; `undefined` takes a member away. */
export const withKey = (text, kid, members) => JSON.stringify({
  keys: keysOf(text).map((jwk) => (jwk.kid === kid ? { ...jwk, ...members } : jwk)),
});
export const withoutKey = (text, kid) => JSON.stringify({ keys: keysOf(text).filter((jwk) => jwk.kid !== kid) });
/** The keys of one set under the names of the other's. */
export const renamed = (text, from, to) => text.replaceAll(`"${from}-`, `"${to}-`);
/** What a token would be signed with if a public key were taken for a secret. */
export const signedWithPublicKey = (token, jwk) => {
  const secret = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const input = withHeader(token, { alg: 'HS256' }).split('.').slice(0, 2).join('.');
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
