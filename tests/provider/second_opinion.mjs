// Asks jose about the cases before claimgate is asked: node second_opinion.mjs CASES EXPECTED
//
// jose knows signatures, keys, algorithms, issuer, audience and expiry; what else is expected, such as
// hashes and scopes, has to be a token that jose accepts.
import { readFileSync } from 'node:fs';
import { EmbeddedJWK, createLocalJWKSet, jwtVerify } from 'jose';
import { HEADER_NAMES } from './setting.mjs';

const [, , casesFile, expectedFile] = process.argv;
const expected = JSON.parse(readFileSync(expectedFile));
const first = process.env.BACKENDS.split(' ').filter(Boolean)[0];
const cases = readFileSync(casesFile, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  .filter(({ backend }) => backend === first);

/** Where jose has another way to say it, any refusal will do. */
const REFUSALS = {
  invalid_signature: ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED'],
  unknown_key: ['ERR_JWKS_NO_MATCHING_KEY'],
  expired: ['ERR_JWT_EXPIRED exp'],
  issuer_mismatch: ['ERR_JWT_CLAIM_VALIDATION_FAILED iss'],
  audience_mismatch: ['ERR_JWT_CLAIM_VALIDATION_FAILED aud'],
  algorithm_not_allowed: ['ERR_JOSE_ALG_NOT_ALLOWED', 'ERR_JWKS_NO_MATCHING_KEY'],
  critical_header: ['ERR_JOSE_NOT_SUPPORTED'],
  malformed_token: ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED'],
  opaque_token: ['ERR_JWS_INVALID'],
};
/** jose has no opinion of a proof's request, hash and age, nor of the proof beside an access token. */
const REFUSALS_OF_PROOFS = {
  ...REFUSALS,
  algorithm_not_allowed: ['ERR_JOSE_ALG_NOT_ALLOWED'],
  key_rejected: ['ERR_JWS_INVALID'],
  claim_type: ['ERR_JWT_CLAIM_VALIDATION_FAILED iat'],
  token_type: ['ERR_JWT_CLAIM_VALIDATION_FAILED typ', 'ERR_JWS_INVALID'],
};

const sets = new Map();
const keySet = (text) => {
  if (!sets.has(text)) sets.set(text, createLocalJWKSet(JSON.parse(text)));
  return sets.get(text);
};

let wrong = 0;
for (const { id, token, token_use: use, now, leeway, jwks, dpop, ...asked } of cases) {
  if (dpop && expected[id] !== 'valid') continue;
  const opinion = await jwtVerify(token, use === 'dpop' ? EmbeddedJWK : keySet(jwks), {
    issuer: asked.issuer,
    audience: asked.audience ?? asked.client_id,
    typ: use === 'dpop' ? 'dpop+jwt' : undefined,
    currentDate: new Date(now * 1000),
    clockTolerance: leeway ?? 60,
    algorithms: (asked.algorithms ?? ['RS256']).flatMap((name) => HEADER_NAMES[name]),
  }).then(() => 'accepted', ({ code, claim }) => [code, claim].filter(Boolean).join(' '));
  const refusals = (use === 'dpop' ? REFUSALS_OF_PROOFS : REFUSALS)[expected[id]];
  if (!(refusals ?? ['accepted']).includes(opinion)) {
    wrong += 1;
    console.error(`jose disagrees: ${id}: expected ${expected[id]}, jose: ${opinion}`);
  }
}
if (wrong > 0) process.exit(1);
console.log(`jose's opinion of ${cases.length} cases is the expected one`);
