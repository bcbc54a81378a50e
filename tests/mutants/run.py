#!/usr/bin/env python3
"""Mutation tests in one program: python3 tests/mutants/run.py DIRECTORY [--shard K/N] [FILE ...]

All mutants that `cargo mutants --list` names are compiled into one test program, each behind a
condition on an environment variable. A mutant is tested with the tests that reach it, the
cheapest first, until one fails. Nothing is compiled again, so that a mutant costs a fraction of
a second. The copy of the library and the results are in DIRECTORY.
"""

import argparse
import collections
import json
import os
import random
import re
import resource
import subprocess

# The rule tests and the other tests of the library's behaviour.
TESTS = """access_token accessors algorithm_matrix attacks cache challenges claims common construction
custom_claims discovery dpop errors floods form http_uri id_token issuers key keys logout_token
precedence refresh replay resource_metadata signatures trust vectors""".split()
FEATURES = "#![feature(const_eval_select, core_intrinsics)]\n#![allow(unsafe_code, internal_features, unused)]"
CONDITION = """
extern crate std;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

static ACTIVE: AtomicUsize = AtomicUsize::new(usize::MAX);
static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

const fn never(_: usize) -> bool { false }

fn is_active(mutant: usize) -> bool {
    if ACTIVE.load(Relaxed) == usize::MAX {
        let active = std::env::var("MUTANT").ok().and_then(|id| id.parse().ok());
        ACTIVE.store(active.unwrap_or(0), Relaxed);
    }
    if let (0, false) = (ACTIVE.load(Relaxed), SEEN[mutant].swap(true, Relaxed)) {
        if let Ok(path) = std::env::var("REACHED") {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            std::writeln!(file.unwrap(), "{mutant}").unwrap();
        }
    }
    ACTIVE.load(Relaxed) == mutant
}

pub(crate) const fn is(mutant: usize) -> bool {
    core::intrinsics::const_eval_select((mutant,), never, is_active)
}
"""


def copy(directory):
    """Copies the library, with its tests as modules of the crate."""
    paths = ["Cargo.toml", "Cargo.lock", "src", "tests", "crates/rsa", "README.md", "docs", "examples"]
    archive = subprocess.run(["git", "archive", "HEAD", *paths], stdout=subprocess.PIPE, check=True)
    os.makedirs(directory, exist_ok=True)
    unpack = ["tar", "-x", "-C", directory]
    subprocess.run(unpack, input=archive.stdout, check=True)
    manifest = open("Cargo.toml").read().split("[lints.rust]")[0]
    manifest = re.sub(r"members = .*\nexclude = .*", 'members = ["crates/rsa"]\nexclude = ["tests"]', manifest)
    manifest = re.sub(r'\[\[example\]\]\nname = .*\nrequired-features = .*\n', "", manifest)
    manifest = manifest.replace("[package]", "[package]\nautotests = false\nautoexamples = false")
    write(directory, "Cargo.toml", manifest)
    modules = ""
    for path, name in [("support/mod", "support"), ("support/signers", "signers")]:
        modules += f'#[cfg(test)]\n#[path = "../tests/{path}.rs"]\nmod {name};\n'
    for name in TESTS:
        path = name if os.path.exists(f"tests/{name}.rs") else f"rules_{name}"
        text = open(f"tests/{path}.rs").read()
        text = re.sub(r"(?m)^#!\[.*\]\n", "", text)
        text = re.sub(r"(?m)^mod support;", "use crate::support;", text)
        text = re.sub(r'#\[path = "support/signers.rs"\]\nmod signers;', "use crate::signers;", text)
        # Mutants make stack frames larger.
        text = re.sub(r"const STACK: usize = .*", "const STACK: usize = 64 << 20;", text)
        write(directory, f"tests/{path}.rs", text)
        modules += f'#[cfg(test)]\n#[path = "../tests/{path}.rs"]\nmod t_{path};\n'
    root = open("src/lib.rs").read().replace("#![forbid(unsafe_code)]", FEATURES)
    root = root.replace("#![no_std]", "#![cfg_attr(not(test), no_std)]")
    root += f"mod mutant;\n#[cfg(test)]\nextern crate self as claimgate;\n{modules}"
    write(directory, "src/lib.rs", root)


def write(directory, path, text):
    with open(os.path.join(directory, path), "w") as file:
        file.write(text)


def body(text, mutants, start, end):
    """Returns the place after the opening brace of a function, or None."""
    for mutant in mutants:
        if mutant["genre"] == "FnValue":
            return text.rindex("{", start, offset(text, mutant["span"]["start"])) + 1
    place, depth = text.index("(", start), 0
    while depth or text[place] != "{":
        depth += (text[place] in "([") - (text[place] in ")]")
        place += 1
    return place + 1


def offset(text, place):
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place["line"] - 1]) + place["column"] - 1


def insert(directory, mutants, excluded):
    """Writes the files with all mutants but the excluded ones. Returns their lines."""
    lines, skipped = {}, set()
    files = collections.defaultdict(list)
    for number, mutant in mutants.items():
        files[mutant["file"]].append(number)
    for path, numbers in files.items():
        text, functions = open(path).read(), collections.defaultdict(list)
        for number in numbers:
            function = mutants[number].get("function")
            # The branches of `impl Trait` would have different types.
            if function is None or "impl " in function["return_type"]:
                skipped.add(number)
                continue
            span = function["span"]
            functions[offset(text, span["start"]), offset(text, span["end"])].append(number)
        out, done = "", 0
        for (start, end), members in sorted(functions.items()):
            if start < done:
                skipped.update(members)
                continue
            place = body(text, [mutants[number] for number in members], start, end)
            out += text[done:place] + "\n"
            for number in sorted(set(members) - excluded):
                mutant = mutants[number]
                first, last = (offset(text, mutant["span"][side]) for side in ("start", "end"))
                changed = mutant["replacement"]
                if mutant["genre"] != "FnValue":
                    changed = f"{text[place:first]} {changed} {text[last:end - 1]}"
                before = out.count("\n") + 1
                if mutant["function"]["return_type"]:
                    out += f"if crate::mutant::is({number}) {{ return {{{changed}}}; }}\n"
                else:
                    out += f"if crate::mutant::is({number}) {{ {{{changed}}}; return; }}\n"
                lines.setdefault(path, []).append((before, out.count("\n"), number))
            out += text[place:end]
            done = end
        write(directory, path, out + text[done:])
    write(directory, "src/mutant.rs", CONDITION.replace("COUNT", str(max(mutants) + 1)))
    return lines, skipped


def build(directory, mutants):
    """Builds the program. Returns its path, and the mutants that are not in it."""
    environment = dict(os.environ, RUSTC_BOOTSTRAP="1", CARGO_INCREMENTAL="0", CARGO_PROFILE_DEV_DEBUG="0")
    command = ["cargo", "test", "--lib", "--no-run", "--message-format", "json"]
    excluded = set()
    while True:
        lines, skipped = insert(directory, mutants, excluded)
        result = subprocess.run(
            command, cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        messages = [json.loads(line) for line in result.stdout.splitlines()]
        if result.returncode == 0:
            programs = [message.get("executable") for message in messages]
            return next(filter(None, programs)), excluded - skipped, skipped
        failing = set()
        for message in messages:
            if message.get("message", {}).get("level") == "error":
                for span in message["message"]["spans"]:
                    while span["file_name"] not in lines and span.get("expansion"):
                        span = span["expansion"]["span"]
                    for first, last, number in lines.get(span["file_name"], []):
                        if span["is_primary"] and first <= span["line_start"] <= last:
                            failing.add(number)
        if not failing:
            raise SystemExit("the program does not compile without mutants")
        excluded |= failing


def run(program, directory, arguments, seconds, **variables):
    """Runs the program for at most so many seconds of processor time."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_STACK, (512 << 20, 512 << 20))

    environment = dict(
        os.environ, RUSTC_BOOTSTRAP="1", RUST_BACKTRACE="0", RUST_MIN_STACK=str(64 << 20),
        CARGO_MANIFEST_DIR=directory, **variables,
    )
    return subprocess.run(
        [program, *arguments], cwd=directory, env=environment, preexec_fn=limit,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )


def reached(program, directory):
    """Returns for each mutant the tests that reach it, with their cost in seconds."""
    listing = run(program, directory, ["--list"], 60).stdout.decode()
    tests = collections.defaultdict(list)
    path = os.path.join(directory, "reached")
    for name in re.findall(r"(?m)^(.*): test$", listing):
        if os.path.exists(path):
            os.remove(path)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        result = run(program, directory, ["--exact", name], 600, MUTANT="0", REACHED=path)
        cost = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        if result.returncode != 0:
            raise SystemExit(f"{name} fails without a mutant")
        for number in open(path).read().split() if os.path.exists(path) else []:
            tests[int(number)].append((cost, name))
    return tests


def verdict(program, directory, number, tests):
    tests = sorted(tests)
    while tests:
        chunk, cost = [], 0.0
        while tests and (not chunk or (cost + tests[0][0] < 0.4 and len(chunk) < 25)):
            cost += tests[0][0]
            chunk.append(tests.pop(0)[1])
        options = ["--exact", "--test-threads=1", "-Zunstable-options", "--fail-fast"]
        seconds = int(4 * cost) + 3
        result = run(program, directory, options + chunk, seconds, MUTANT=str(number))
        if result.returncode != 0:
            return "timeout" if result.returncode in (-9, -24) else "caught"
    return "survived"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("files", nargs="*", default=["src/**"])
    options = parser.parse_args()
    directory = os.path.abspath(options.directory)
    filters = [argument for file in options.files for argument in ("-f", file)]
    listing = subprocess.run(
        ["cargo", "mutants", "--list", "--json", *filters], stdout=subprocess.PIPE, check=True
    )
    mutants = dict(enumerate(json.loads(listing.stdout), start=1))
    copy(directory)
    program, excluded, skipped = build(directory, mutants)
    tests = reached(program, directory)
    numbers = sorted(set(mutants) - excluded - skipped)
    random.Random(1).shuffle(numbers)
    shard, shards = map(int, options.shard.split("/"))
    counts = collections.Counter()
    for number in numbers[shard::shards]:
        found = verdict(program, directory, number, tests.get(number, []))
        counts[found] += 1
        if found == "survived":
            print(mutants[number]["name"], flush=True)
    print(
        f"{len(mutants)} mutants, {len(excluded)} do not compile, {len(skipped)} are not expressible;"
        f" of {sum(counts.values())}: {counts['caught']} caught, {counts['timeout']} endless,"
        f" {counts['survived']} survived"
    )


main()
