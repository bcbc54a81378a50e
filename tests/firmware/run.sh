#!/usr/bin/env bash
# Builds the firmware, runs it on an emulated Cortex-M3, and fails on any wrong
# verdict and beyond 64 KiB of flash or 24 KiB of stack. The last line has the
# figures.
#
# `core` for the target comes from rustup. Without rustup, or with CORE=debian,
# it is built from the sources in Debian's rust-web-src by Debian's compiler.
set -euo pipefail
cd "$(dirname "$0")"

readonly TARGET=thumbv7m-none-eabi
readonly FLASH_LIMIT=$((64 * 1024)) STACK_LIMIT=$((24 * 1024))

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

need qemu-system-arm qemu-system-arm arm-none-eabi-size binutils-arm-none-eabi
if [ "${CORE:-rustup}" = rustup ] && has_target; then
    cargo=(cargo)
    options=()
else
    need /usr/bin/rustc rustc-web /usr/bin/cargo cargo-web /usr/lib/rustlib/src rust-web-src
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc PATH=/usr/bin:$PATH
    cargo=(/usr/bin/cargo)
    options=(
        -Zbuild-std=core
        --target-dir target/debian
        --config "target.$TARGET.linker='arm-none-eabi-ld'"
        --config "target.$TARGET.rustflags=['-Clinker-flavor=ld']"
    )
fi

"${cargo[@]}" build --quiet --release "${options[@]}"
output=$(timeout 300 "${cargo[@]}" run --quiet --release "${options[@]}") || {
    printf '%s\nfirmware: a wrong verdict, or none\n' "$output" >&2
    exit 1
}
printf '%s\n' "$output"

target_dir=target
[ ${#options[@]} -eq 0 ] || target_dir=target/debian
read -r text data bss _ < <(
    arm-none-eabi-size "$target_dir/$TARGET/release/claimgate-firmware" | tail -n 1
)
flash=$((text + data))
stack=$(awk '/^stack high-water mark/ { print $NF }' <<<"$output")
printf 'flash %d bytes · stack %d bytes · static RAM %d bytes\n' "$flash" "$stack" $((data + bss))
if [ "$flash" -gt "$FLASH_LIMIT" ] || [ "$stack" -gt "$STACK_LIMIT" ]; then
    echo "firmware: more than $FLASH_LIMIT bytes of flash or $STACK_LIMIT bytes of stack" >&2
    exit 1
fi
