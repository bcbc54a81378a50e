#!/usr/bin/env bash
# Builds the programs in src/bin, runs them on an emulated Cortex-M3, and fails on a
# wrong verdict or above a limit on flash or stack. The last lines have the figures.
# With --write, also writes the table of README.md.
#
# `core` for the target comes from rustup. Without rustup, or with CORE=debian, it is
# built from the sources in Debian's package rust-web-src, by Debian's compiler.
set -euo pipefail
cd "$(dirname "$0")"

readonly TARGET=thumbv7m-none-eabi
# Program, flash, stack. The flash of `peripheral` is mostly that of its stand-in.
readonly LIMITS='
table        49152 10100
access_token 32768 10100
peripheral   65536 10100'

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

need qemu-system-arm qemu-system-arm arm-none-eabi-size binutils-arm-none-eabi python3 python3
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
target_dir=target
[ ${#options[@]} -eq 0 ] || target_dir=target/debian

failed=0
figures=''
while read -r program flash_limit stack_limit; do
    [ -n "$program" ] || continue
    output=$(timeout 300 "${cargo[@]}" run --quiet --release "${options[@]}" --bin "$program" </dev/null 2>&1) || {
        printf '%s\nfirmware: a wrong verdict, or none, of %s\n' "$output" "$program" >&2
        exit 1
    }
    printf '== %s\n%s\n' "$program" "$(grep -v '^Timer with period zero' <<<"$output")"
    read -r text data bss _ < <(
        arm-none-eabi-size "$target_dir/$TARGET/release/$program" | tail -n 1
    )
    flash=$((text + data))
    stack=$(awk '/^stack high-water mark/ { print $NF }' <<<"$output")
    figures+=$(printf '%s: flash %d bytes of %d, stack %d of %d, static RAM %d' \
        "$program" "$flash" "$flash_limit" "$stack" "$stack_limit" $((data + bss)))$'\n'
    if [ "$flash" -gt "$flash_limit" ] || [ "$stack" -gt "$stack_limit" ]; then
        echo "firmware: $program is above its limit" >&2
        failed=1
    fi
done <<<"$LIMITS"

for program in table access_token; do
    elf=$target_dir/$TARGET/release/$program
    { arm-none-eabi-size "$elf" && arm-none-eabi-nm --print-size --demangle "$elf"; } >"$target_dir/$program.symbols"
done
python3 sizes.py "$target_dir"/{table,access_token}.symbols >"$target_dir/sizes.md"
if [ "${1:-}" = --write ]; then
    { sed '/^<!-- sizes -->$/q' README.md; echo; cat "$target_dir/sizes.md"; } >"$target_dir/README.md"
    cp "$target_dir/README.md" README.md
fi
cat "$target_dir/sizes.md"
"${cargo[@]}" --version
printf '%s' "$figures"
exit $failed
