// DPoP proofs (RFC 9449 §4.2), made with node:crypto.
import { constants, createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

const TYPES = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519'],
  Ed25519: ['ed25519'],
};
const OPTIONS = {
  PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  ES256: { dsaEncoding: 'ieee-p1363' },
};

/** A client's key. */
export const generateProofKey = (alg) => {
  const { privateKey, publicKey } = generateKeyPairSync(...TYPES[alg]);
  return { alg, privateKey, jwk: publicKey.export({ format: 'jwk' }) };
};

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
export const sha256 = (text) => createHash('sha256').update(text).digest('base64url');

/** A proof. `header` and `claims` replace members, and take those away that are `undefined`. */
export const makeProof = ({ alg, privateKey, jwk }, { method, url, accessToken, nonce }, { header, claims } = {}) => {
  const input = [
    { typ: 'dpop+jwt', alg, jwk, ...header },
    {
      jti: randomUUID(),
      htm: method,
      htu: url,
      iat: Math.floor(Date.now() / 1000),
      ...(accessToken && { ath: sha256(accessToken) }),
      ...(nonce && { nonce }),
      ...claims,
    },
  ].map(encode).join('.');
  const digest = TYPES[alg][0] === 'ed25519' ? null : 'sha256';
  const signature = sign(digest, Buffer.from(input), { key: privateKey, ...OPTIONS[alg] });
  return `${input}.${signature.toString('base64url')}`;
};
