#!/usr/bin/env bash
# Compiles everything the crate does, optimised, for this machine and for a
# Cortex-M3 where its `core` is installed, and fails where the code calls a
# function of `core::panicking` or one that calls those.
set -euo pipefail
cd "$(dirname "$0")/size"

targets=("$(rustc -vV | awk '/^host:/ { print $2 }')")
if rustup target list --installed 2>/dev/null | grep -qx thumbv7m-none-eabi; then
    targets+=(thumbv7m-none-eabi)
fi
for target in "${targets[@]}"; do
    # Nothing is linked: the functions are read in the assembly.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=3 cargo rustc --quiet --release --features all \
        --target "$target" --target-dir target/no_panic -- --emit asm -Clinker=true
    assembly=target/no_panic/$target/release/deps/claimgate_rsa_size-*.s
    for function in prepare verify rs256 rs384 rs512 ps256 ps384 ps512; do
        grep -q "^$function:" $assembly || { echo "no_panic: $function is missing" >&2; exit 1; }
    done
    if grep -nE '(call|jmp|bl?)[a-z.]*\s.*(panicking|_fail)' $assembly; then
        echo "no_panic: the code for $target can panic" >&2
        exit 1
    fi
    echo "no panic: $target"
done
