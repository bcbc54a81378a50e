#!/usr/bin/env bash
# Builds all targets, writes the seeds, and runs each target for so many
# seconds: `fuzz/run.sh SECONDS [TARGET..]`. A finding ends it with its status.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET..]}
shift
command -v cargo-fuzz >/dev/null || cargo install --locked --quiet cargo-fuzz
rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal
[ $# -gt 0 ] || set -- $(cargo fuzz list)

# AddressSanitizer sets freed memory aside, 256 MB of it if it may: too much to see growth beside.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=8}
mkdir -p fuzz/artifacts
cargo run --quiet --manifest-path fuzz/Cargo.toml --example seed
# SEED makes a run repeatable: the gate has one, so that it fails for a change
# and not for luck. AddressSanitizer, unless SANITIZER says otherwise: a build without takes half as long.
cargo +nightly fuzz build --sanitizer "${SANITIZER:-address}" --features backends
run() {
    local target=$1 dictionary
    case $target in
        compact_jws | base64url | bearer) dictionary=token ;;
        json_dialect) dictionary=json ;;
        *) dictionary=claims ;;
    esac
    # The alarm is in seconds; the targets themselves fail above 100 ms.
    "fuzz/target/x86_64-unknown-linux-gnu/release/$target" \
        "-dict=fuzz/dictionaries/$dictionary.dict" "-artifact_prefix=fuzz/artifacts/$target-" \
        "-max_total_time=$seconds" "-seed=${SEED:-0}" -max_len=8192 -len_control=20 -timeout=5 -rss_limit_mb=1024 \
        -print_final_stats=1 -verbosity=0 "fuzz/corpus/$target" > "fuzz/artifacts/$target.log" 2>&1 ||
        { echo "== $target"; cat "fuzz/artifacts/$target.log"; return 1; }
    printf '== %s: %s executions\n' "$target" \
        "$(awk '/number_of_executed_units/ { print $2 }' "fuzz/artifacts/$target.log")"
}
export -f run
export seconds
# JOBS targets at a time, one unless set.
printf '%s\n' "$@" | xargs -P "${JOBS:-1}" -I{} bash -c 'run {}'
