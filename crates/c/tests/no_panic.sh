#!/usr/bin/env bash
# Shows that no function of the C interface can panic, RSA, curves and hashes left to the
# program: the library, built whole with a panic handler that calls a function which nobody
# defines, does not refer to it. A build with a deliberate panic shows that it would.
set -euo pipefail
cd "$(dirname "$0")/../staticlib"

references() {
    RUSTFLAGS="--cfg claimgate_panic_probe $1" cargo build --quiet --release --no-default-features \
        --target-dir target/no-panic
    { nm target/no-panic/release/libclaimgate.a 2>/dev/null || true; } | awk '{ print $NF }' |
        grep -E '^claimgate_panicked$|core9panicking|rust_begin_unwind|_fail$|_Unwind_' || true
}

found=$(references "")
if [ -n "$found" ]; then
    printf '%s\n' "$found" >&2
    exit 1
fi
if [ -z "$(references "--cfg claimgate_deliberate_panic")" ]; then
    echo "the check does not see a panic that is there" >&2
    exit 1
fi
count=$(nm target/no-panic/release/libclaimgate.a 2>/dev/null | grep -c ' T claimgate_')
echo "no panic in $count functions; a panic that is there is found"
