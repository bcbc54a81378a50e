// Runs cases in the module and compares the answers with those of the Rust example.
//
//     node run.mjs MODULE.wasm CASES.jsonl ANSWERS.jsonl ONE.wasm

import { readFileSync } from "node:fs";

const [modulePath, casesPath, answersPath, onePath] = process.argv.slice(2);
const load = (path) => new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)));

const { exports: wasm } = load(modulePath);
const lines = (path) => readFileSync(path, "utf8").split("\n").filter((line) => line.trim() !== "");
const cases = lines(casesPath);
const expected = lines(answersPath);

function answersTo(some) {
    const text = new TextEncoder().encode(some.join("\n"));
    const start = wasm.text(text.length);
    new Uint8Array(wasm.memory.buffer, start, text.length).set(text);
    const length = wasm.answer();
    const answers = new Uint8Array(wasm.memory.buffer, wasm.answers(), length);
    return lines_of(new TextDecoder().decode(answers));
}

function lines_of(text) {
    return text.split("\n").filter((line) => line !== "");
}

let differing = 0;
const verdicts = {};
const started = process.hrtime.bigint();
for (let at = 0; at < cases.length; at += 256) {
    const found = answersTo(cases.slice(at, at + 256));
    const wanted = expected.slice(at, at + 256);
    if (found.length !== wanted.length) {
        throw new Error(`${found.length} answers to ${wanted.length} cases`);
    }
    found.forEach((answer, index) => {
        const { verdict } = JSON.parse(answer);
        verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
        if (answer !== wanted[index]) {
            differing += 1;
            if (differing <= 5) console.error(`case ${at + index}:\n  ${answer}\n  ${wanted[index]}`);
        }
    });
}
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
if (cases.length !== expected.length || cases.length < 1000 || !(verdicts.valid > 100)) {
    throw new Error(`${cases.length} cases, ${expected.length} answers, ${verdicts.valid} valid`);
}
console.log(
    `wasm: ${cases.length} cases (${Object.entries(verdicts).map(([name, count]) => `${count} ${name}`).join(", ")}) ` +
    `in ${seconds.toFixed(1)} s, ${differing} differ from the Rust example`,
);

// The module that validates one kind of token.
const { exports: one } = load(onePath);
function give(text) {
    const bytes = new TextEncoder().encode(text);
    new Uint8Array(one.memory.buffer, one.text(), 16384).set(bytes.subarray(0, 16384));
    return Math.min(bytes.length, 16384);
}
const good = cases.map((line, index) => [line, expected[index]]).filter(([line, answer]) => {
    try {
        const { token_use, audience, issuer, algorithms, claims, tenants, leeway } = JSON.parse(line);
        return JSON.parse(answer).verdict === "valid" && token_use === "access" && !leeway && !claims && !tenants &&
            audience === "https://example.com/health-api" && issuer === "https://my-domain.auth0.com/" && !algorithms;
    } catch {
        return false;
    }
}).map(([line]) => JSON.parse(line)).filter(({ dpop, confirmation }) => !dpop && !confirmation)[0];
const seen = [one.validate(give(`Bearer ${good.token}`), BigInt(good.now))];
seen.push(one.set_keys(give(good.jwks)));
const rounds = 200;
const first = process.cpuUsage();
for (let round = 0; round < rounds; round += 1) {
    const status = one.validate(give(`Bearer ${good.token}`), BigInt(good.now));
    if (status !== 200) throw new Error(`status ${status}`);
}
const used = process.cpuUsage(first);
const microseconds = (used.user + used.system) / rounds;
seen.push(one.validate(give(`Bearer ${good.token}`), BigInt(good.now) + 1_000_000_000n));
seen.push(one.validate(give(`Bearer ${good.token.slice(0, -8)}AAAAAAAA`), BigInt(good.now)));
seen.push(one.validate(give(""), 0n), one.validate(give("Bearer a b"), 0n), one.set_keys(give("{}")));
if (JSON.stringify(seen) !== "[503,1,401,401,401,400,0]") throw new Error(`the small module: ${seen}`);
console.log(`wasm: one kind of token, ${microseconds.toFixed(0)} µs of CPU per validation`);
if (differing > 0) process.exitCode = 1;
