#!/usr/bin/env bash
# In WebAssembly, under Node:
#
#   1. the cases of the repository's batch tests, and variants of them: each answer must be that
#      of the Rust example; and the size of a module that validates one kind of token, which must
#      be within its limit;
#   2. the test files of the library, built for WASI.
#
# The targets come from rustup. Without rustup, or with CORE=debian, that of the first part is
# built from the sources in Debian's rust-web-src by Debian's compiler. The second part is then
# omitted with CORE=debian, and an error otherwise. PARTS=2 runs one; PARTS=0 only installs what is
# missing from Debian.
set -euo pipefail
cd "$(dirname "$0")"

readonly TARGET=wasm32-unknown-unknown
readonly WASI_TARGET=wasm32-wasip1
readonly SIZE_LIMIT=$((68 * 1024))

# The test files of the library, except those that run programs (batch, batch_kinds, single_token),
# read the source code (import_order, language, rules_index), require another feature (allocations,
# defmt), or take longest there (shapes, precedence).
readonly TEST_FILES=(
    rules_access_token rules_claims rules_common rules_dpop rules_form rules_id_token rules_key
    rules_logout_token accessors algorithm_matrix algorithm_vectors attacks backend_allocations
    backends bit_flips cache challenges conformance construction custom_claims demo_tokens
    discovery errors floods http_uri issuers key_allocations keys mutated_tokens pipeline
    properties refresh replay resource_metadata signatures trust vectors wycheproof
)
# They use threads, which WASI does not have.
readonly WITH_THREADS=(
    key_set_goes_from_thread_to_thread
    backends_agree_on_a_hundred_thousand_mutations
    a_kept_access_token_has_the_same_claims
    p08_the_window_is_constant_and_can_be_shared_behind_a_lock
)

runs() { [[ " ${PARTS:-1 2} " == *" $1 "* ]]; }

# Installs the Debian packages named behind the programs that are missing.
need() {
    local missing=()
    while [ $# -gt 0 ]; do
        [ -e "$1" ] || command -v "$1" >/dev/null || missing+=("$2")
        shift 2
    done
    [ ${#missing[@]} -eq 0 ] && return
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
}

has_target() {
    rustup target list --installed 2>/dev/null | grep -qx "$1" ||
        timeout 120 rustup target add "$1" >/dev/null 2>&1
}

# The cases, and the size of a module.
run_cases() {
    local folder=${CASES:-target/cases} out package size
    [ -s "$folder/answers.jsonl" ] || bash ../../crates/c/tests/record.sh "$folder" >/dev/null
    if [ "${CORE:-rustup}" = rustup ] && has_target "$TARGET"; then
        # Apart, since features of one would be those of the other.
        for package in claimgate-wasm claimgate-wasm-one; do
            cargo build --quiet --release --package $package --target "$TARGET"
        done
        out=target/$TARGET/release
    else
        need /usr/bin/rustc rustc-web /usr/bin/cargo cargo-web /usr/lib/rustlib/src rust-web-src \
            /usr/bin/wasm-ld lld
        for package in claimgate-wasm claimgate-wasm-one; do
            env RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc PATH="/usr/bin:$PATH" /usr/bin/cargo build \
                --quiet --release --package $package --target "$TARGET" \
                -Zbuild-std=std,panic_abort --target-dir target/debian \
                --config "target.$TARGET.linker='wasm-ld'"
        done
        out=target/debian/$TARGET/release
    fi
    node run.mjs "$out/claimgate_wasm.wasm" "$folder/cases.jsonl" "$folder/answers.jsonl" "$out/one.wasm"
    size=$(stat -c %s "$out/one.wasm")
    echo "wasm: a module for one kind of token: $size bytes, the limit is $SIZE_LIMIT"
    [ "$size" -le "$SIZE_LIMIT" ]
}

# The test files. ring, which signs the tokens, has C code for this target.
run_tests() {
    if [ "${CORE:-rustup}" != rustup ]; then
        echo "wasm: the test files are not run: they require the target of rustup"
        return
    fi
    has_target "$WASI_TARGET" || { echo "wasm: rustup has no target $WASI_TARGET" >&2; exit 1; }
    local programs=$PWD/target/tests started=$SECONDS file
    mkdir -p "$programs"
    # Cargo calls it as `runner PROGRAM ARGUMENT…`; the lines of the programs' outputs are counted.
    env CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1 \
        cargo test --quiet --no-run --message-format json --manifest-path ../../Cargo.toml \
        --target "$WASI_TARGET" --target-dir target/wasi --config profile.dev.package.ring.opt-level=3 \
        --no-default-features --features pure-rust,std "${TEST_FILES[@]/#/--test=}" \
        > "$programs/build.json"
    node -e '
        for (const line of require("fs").readFileSync(process.argv[1], "utf8").split("\n")) {
            const message = line.startsWith("{") ? JSON.parse(line) : {};
            if (message.executable) console.log(message.target.name, message.executable);
        }' "$programs/build.json" > "$programs/list"
    [ "$(wc -l < "$programs/list")" -eq ${#TEST_FILES[@]} ]
    # Two at a time. With garbage collection in threads, Node 20.20 ended floods by a segmentation fault, after its
    # last test, in one of eight runs.
    xargs -P 2 -L 1 bash -c 'node --no-warnings --single-threaded-gc wasi.mjs "$2" "${@:3}" > "'"$programs"'/$1.log" 2>&1 ||
        { cat "'"$programs"'/$1.log" >&2; exit 255; }' run < <(
        while read -r file; do echo "$file" "${WITH_THREADS[@]/#/--skip=}"; done < "$programs/list")
    for file in "${TEST_FILES[@]}"; do grep -h '^test result: ok' "$programs/$file.log"; done |
        awk -v files=${#TEST_FILES[@]} -v seconds=$((SECONDS - started)) '
            { passed += $4; ignored += $8; skipped += $12; count++ }
            END {
                printf "wasm: %d tests of %d files passed in WASI, built and run in %d s; " \
                    "%d with threads are omitted\n", passed, count, seconds, skipped
                exit count != files || ignored != 0 || passed < 100
            }'
}

need node nodejs python3 python3
[ "${CORE:-rustup}" != rustup ] || need clang clang llvm-ar llvm
if runs 1; then run_cases; fi
if runs 2; then run_tests; fi
