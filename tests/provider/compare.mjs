// Compares answers with what is expected: node compare.mjs CASES EXPECTED ANSWERS
//
// Each case is answered once, in order. A valid token's answer has the token's own subject and audience.
import { readFileSync } from 'node:fs';

const [, , casesFile, expectedFile, answersFile] = process.argv;
const lines = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const [cases, answers] = [lines(casesFile), lines(answersFile)];
const expected = JSON.parse(readFileSync(expectedFile));
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

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
  } else if (verdict === 'valid' && (use === 'id' || use === 'access')) {
    const { sub, aud } = claims(token);
    if (answer.sub !== sub || JSON.stringify(answer.aud) !== JSON.stringify([aud].flat())) {
      wrong.push(`${id}: another subject or audience: ${JSON.stringify(answer)}`);
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
