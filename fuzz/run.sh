#!/usr/bin/env bash
# Builds all targets, writes the seeds, and runs each target for so many
# seconds: `fuzz/run.sh SECONDS [TARGET..]`. A finding ends it with its status.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET..]}
shift
[ $# -gt 0 ] || set -- $(cargo fuzz list)

mkdir -p fuzz/artifacts
cargo run --quiet --manifest-path fuzz/Cargo.toml --example seed
cargo +nightly fuzz build --features backends
for target in "$@"; do
    echo "== $target"
    case $target in
        compact_jws | base64url | bearer) dictionary=token ;;
        json_dialect) dictionary=json ;;
        *) dictionary=claims ;;
    esac
    # The alarm is in seconds; the targets themselves fail above 100 ms.
    "fuzz/target/x86_64-unknown-linux-gnu/release/$target" \
        "-dict=fuzz/dictionaries/$dictionary.dict" "-artifact_prefix=fuzz/artifacts/$target-" \
        "-max_total_time=$seconds" -max_len=8192 -len_control=20 -timeout=5 -rss_limit_mb=1024 \
        -print_final_stats=1 -verbosity=0 "fuzz/corpus/$target"
done
