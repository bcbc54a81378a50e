// Compares answers with the expected ones: node compare.mjs CASES EXPECTED ANSWERS
//
// Each case is answered once, in order. A valid token's answer has the token's own subject and audience,
// a logout token's subject and session, a proof's key and ID.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const [, , casesFile, expectedFile, answersFile] = process.argv;
const lines = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const [cases, answers] = [lines(casesFile), lines(answersFile)];
const expected = JSON.parse(readFileSync(expectedFile));
/** Claims and header. */
const decode = (token) => token.split('.', 2).reverse().map((segment) => JSON.parse(Buffer.from(segment, 'base64url')));

/** RFC 7638: the members that make the key, in order. */
const thumbprint = ({ crv, e, kty, n, x, y }) => createHash('sha256')
  .update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url');
const facts = {
  id: ({ sub, aud }) => ({ sub, aud: [aud].flat() }),
  access: ({ sub, aud }) => ({ sub, aud: [aud].flat() }),
  logout: ({ sub, sid }) => ({ sub: sub ?? null, sid: sid ?? null }),
  dpop: ({ jti }, { jwk }) => ({ jkt: thumbprint(jwk), jti }),
};

const wrong = [];
if (answers.length !== cases.length) wrong.push(`${cases.length} cases, but ${answers.length} answers`);
if (Object.keys(expected).length !== cases.length) wrong.push('cases and expected verdicts differ in number');
const counts = {};
for (const [index, { id, token, token_use: use }] of cases.entries()) {
  const answer = answers[index] ?? {};
  const verdict = answer.verdict === 'invalid' ? answer.error : answer.verdict;
  counts[verdict] = (counts[verdict] ?? 0) + 1;
  if (answer.id !== id || verdict !== expected[id]) {
    wrong.push(`${id}: expected ${expected[id]}, found ${JSON.stringify(answer)}`);
  } else if (verdict === 'valid') {
    for (const [name, value] of Object.entries(facts[use](...decode(token)))) {
      if (!isDeepStrictEqual(answer[name], value)) {
        wrong.push(`${id}: ${name} should be ${JSON.stringify(value)}: ${JSON.stringify(answer)}`);
      }
    }
  }
}

for (const line of wrong.slice(0, 40)) console.error(`not as expected: ${line}`);
if (wrong.length > 0) {
  console.error(`${wrong.length} of ${cases.length} verdicts are not as expected`);
  process.exit(1);
}
for (const [verdict, count] of Object.entries(counts).sort(([, one], [, other]) => other - one)) {
  console.log(`  ${String(count).padStart(6)} ${verdict}`);
}
const number = (name) => process.env[name].split(' ').filter(Boolean).length;
console.log(`provider: ${cases.length} verdicts as expected with ${number('BACKENDS')} backends, `
  + `${number('ALGORITHMS')} algorithms, 2 key sets`);
