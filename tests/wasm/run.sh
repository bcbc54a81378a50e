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
# omitted with CORE=debian, and an error otherwise. PARTS=2 runs one.
set -euo pipefail
cd "$(dirname "$0")"

readonly TARGET=wasm32-unknown-unknown
readonly WASI_TARGET=wasm32-wasip1
readonly SIZE_LIMIT=$((68 * 1024))

# All test files of the library, except those that require programs, the allocator's counters or
# the source code (batch, batch_kinds, single_token, allocations, backend_allocations,
# key_allocations, import_order, language, rules_index), those with features (defmt), and the
# slow ones (…).
readonly TEST_FILES=(
    rules_access_token rules_claims rules_common rules_dpop rules_form rules_id_token rules_key
    rules_logout_token accessors algorithm_matrix algorithm_vectors attacks backends bit_flips
    cache challenges conformance construction custom_claims demo_tokens discovery errors floods
    http_uri issuers keys mutated_tokens pipeline precedence properties refresh replay
    resource_metadata shapes signatures trust vectors wycheproof
)
# WASI has no threads.
readonly WITH_THREADS=()

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

need node nodejs python3 python3
folder=${CASES:-target/cases}
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
[ "$size" -le "$SIZE_LIMIT" ] || exit 1
