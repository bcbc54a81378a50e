#!/usr/bin/env bash
# Links the preparation of a key and an RS256 verification for a Cortex-M3 and
# fails above 2,048 bytes of code, or where a panic is linked. memcpy and memset
# are not counted: every firmware has them.
#
# `core` for the target comes from rustup. Without rustup, or with CORE=debian,
# it is built from the sources in Debian's rust-web-src by Debian's compiler.
set -euo pipefail
cd "$(dirname "$0")/size"

readonly TARGET=thumbv7m-none-eabi LIMIT=2048

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
    rustup target list --installed 2>/dev/null | grep -qx "$TARGET" ||
        timeout 120 rustup target add "$TARGET" >/dev/null 2>&1
}

need arm-none-eabi-nm binutils-arm-none-eabi
if [ "${CORE:-rustup}" = rustup ] && has_target; then
    cargo=(cargo)
    options=()
    target_dir=target
else
    need /usr/bin/rustc rustc-web /usr/bin/cargo cargo-web /usr/lib/rustlib/src rust-web-src
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc PATH=/usr/bin:$PATH
    cargo=(/usr/bin/cargo)
    options=(-Zbuild-std=core)
    target_dir=target/debian
fi

"${cargo[@]}" rustc --quiet --release --target "$TARGET" --target-dir "$target_dir" "${options[@]}" \
    -- -Clinker=arm-none-eabi-ld -Clinker-flavor=ld \
    -Clink-args="--gc-sections --entry=verify --undefined=prepare"
elf=$target_dir/$TARGET/release/claimgate-rsa-size
if arm-none-eabi-nm --demangle "$elf" | grep -iE 'panic|_fail'; then
    echo "size: a panic is linked" >&2
    exit 1
fi
# All code and constants but the functions that every firmware has.
arm-none-eabi-nm --print-size --size-sort --radix=d --demangle "$elf" |
    awk -v limit="$LIMIT" '
        $4 ~ /^(__aeabi_)?mem(cpy|set|clr|move|cmp)[48]?$|compiler_builtins/ { next }
        { print $2 + 0, $4, $5; bytes += $2 }
        END {
            printf "RSA on a Cortex-M3: %d bytes of code, limit %d\n", bytes, limit
            exit bytes == 0 || bytes > limit
        }'
