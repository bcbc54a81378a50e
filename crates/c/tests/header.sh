#!/usr/bin/env bash
# Compares claimgate.h with what cbindgen generates. With --write, writes it.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly VERSION=0.29.0
cbindgen=${CBINDGEN:-$HOME/.cargo/bin/cbindgen}
if ! "$cbindgen" --version 2>/dev/null | grep -qx "cbindgen $VERSION"; then
    root=target/cbindgen
    [ -x "$root/bin/cbindgen" ] ||
        cargo install --quiet --locked --root "$root" --version "$VERSION" cbindgen
    cbindgen=$root/bin/cbindgen
fi
# The rules for all functions, from the documentation of the crate, as a comment.
rules() {
    sed -nE '/^\/\/! # Objects/,/^$/ { s/^\/\/! # (.*)/\/\/! \1:/; s/^\/\/!/ */p; }' src/lib.rs |
        sed -E '1 s/^ \*/\n\/*/; $ s/$/ *\//'
}
# They follow the first comment. Links of Rust's documentation become plain names.
header() {
    "$cbindgen" --quiet --config cbindgen.toml . | sed '/see its README\.md\. \*\/$/r '<(rules) |
        sed -E 's/\[(`?)([^]`]+)`?\](\([^)]*\))?/\1\2\1/g; s/^ # Safety$/ Contract:/'
}

if [ "${1:-}" = --write ]; then
    header > claimgate.h
else
    header | diff -u claimgate.h - ||
        { echo "claimgate.h is not what tests/header.sh --write writes" >&2; exit 1; }
fi
echo "claimgate.h: $(grep -cE '^[a-z].* \**claimgate_[a-z0-9_]*\(' claimgate.h) functions, as the crate has them"
