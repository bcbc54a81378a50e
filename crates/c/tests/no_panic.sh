#!/usr/bin/env bash
# Shows that the C interface cannot panic, RSA, curves and hashes left to the program: in the
# library, optimised as a whole, no function leads to the panic handler. A build with a
# deliberate panic shows that one would be found.
set -euo pipefail
cd "$(dirname "$0")/../staticlib"
readonly LIBRARY=target/no-panic/release/libclaimgate.a

build() {
    RUSTFLAGS="--cfg claimgate_panic_probe ${1:-}" cargo build --quiet --release \
        --no-default-features --target-dir target/no-panic
}

# The functions that refer to one of these names, and are not of the panic machinery.
callers_of() {
    objdump -dr --no-show-raw-insn "$LIBRARY" 2>/dev/null | awk -v names="$1" '
        /^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3) }
        / R_X86_64/ && $NF ~ names { print name }' |
        { grep -vE 'core9panicking|rust_begin_unwind|slice_index_fail|_error_fail|unwrap_failed' ||
            true; } | sort -u
}

readonly PANICS='core9panicking|slice_index_fail|_error_fail|unwrap_failed|expect_failed|claimgate_panicked'
build
found=$(callers_of "$PANICS")
if [ -n "$found" ]; then
    printf 'a panic can be reached from\n%s\n' "$found" >&2
    exit 1
fi
count=$(nm "$LIBRARY" 2>/dev/null | grep -c ' T claimgate_')
[ "$count" -ge 50 ]
build "--cfg claimgate_deliberate_panic"
if ! callers_of "$PANICS" | grep -q claimgate_deliberate_panic; then
    echo "the check does not see a panic that is there" >&2
    exit 1
fi
echo "no panic in $count functions; one that is there is found"
