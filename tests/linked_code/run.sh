#!/usr/bin/env bash
# A program that verifies only RS256 contains no code or constants of other
# algorithms. Builds the library with a key type for RS256, which must contain none of their
# symbols and constants, and with one for all algorithms, which must. Requires nm.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="$PWD/target"
library=target/release/libclaimgate_linked_code.a

# Symbols of other algorithms: functions that are inlined have none.
symbols() {
    { nm --demangle "$library" 2>/dev/null || true; } | awk '{ print $NF }' \
        | grep -iE 'p256|p384|ecdsa|ed25519|curve25519|sha512|sha384|primeorder|claimgate::curve|pss' || true
}

# Constants of other algorithms, which are found wherever the code went: the first round
# constants of SHA-512, b/R of P-256 and P-384 (`src/curve.rs`), P-256's order, and a point of
# small order of Ed25519, as they are stored.
readonly -A constants=(
    [sha512]='\x22\xae\x28\xd7\x98\x2f\x8a\x42\xcd\x65\xef\x23\x91\x44\x37\x71'
    [p256-b]='\x4f\x43\x97\x38\x72\x4d\x66\x5b\xbb\xe1\xf3\x12\x4d\x12\xc8\x5a'
    [p384-b]='\xbf\x49\x31\xbd\xcd\x2a\x89\x22\xfa\xb9\x12\x39\xdb\x27\xd0\xc8'
    [p256-order]='\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51'
    [ed25519-small-order]='\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0'
)
count() { LC_ALL=C grep -cobUaP "${constants[$1]}" "$library" || true; }

build() {
    cargo build --quiet --release --features "$1"
    printf '== %s: %s\n' "$1" "$(size --totals "$library" 2>/dev/null | awk 'END { print $1 + $2, "bytes of code and data in the archive" }')"
}

build pure-rust
[ -n "$(symbols)" ] || { echo 'the check sees no symbol that is there'; exit 1; }
for name in "${!constants[@]}"; do
    found=$(count "$name")
    echo "$name: $found"
    [ "$found" -gt 0 ] || { echo "the check does not see $name, which is there"; exit 1; }
done

build pure-rust-rs256
found=$(symbols)
[ -z "$found" ] || { printf 'symbols of other algorithms:\n%s\n' "$found"; exit 1; }
for name in "${!constants[@]}"; do
    found=$(count "$name")
    [ "$found" = 0 ] || { echo "$name is in it"; exit 1; }
done
crates=$(cargo tree --edges normal --prefix none --features pure-rust-rs256 | grep -E '^(p256|p384|ecdsa|ed25519|curve25519)' || true)
[ -z "$crates" ] || { printf 'compiled for RS256:\n%s\n' "$crates"; exit 1; }
echo 'RS256 alone: nothing of other algorithms is linked or compiled'
