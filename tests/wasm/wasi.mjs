// Runs a program for WASI: node wasi.mjs PROGRAM.wasm [ARGUMENT…]
//
// It may read the files of this repository, and has neither threads nor a network.
import { readFile } from "node:fs/promises";
import process, { argv, env } from "node:process";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const wasi = new WASI({
  version: "preview1",
  args: argv.slice(2),
  env: Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith("CLAIMGATE_"))),
  preopens: { [repository]: repository },
});
const module = await WebAssembly.compile(await readFile(argv[2]));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
