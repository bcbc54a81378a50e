#!/usr/bin/env bash
# Builds the path as a static library, optimised, and fails if anything in it
# refers to a panic, or if a function can come to call itself; then builds it
# with a panic, which must be found. Requires nm, objdump and tsort.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="$PWD/target"

library=target/release/libclaimgate_no_panic.a
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

build() { cargo build --quiet --release "$@"; }

# The panic handler's call, whatever in core leads there, and unwinding. The
# names of this package's own functions hold the word too.
panics() {
    { nm "$library" 2>/dev/null || true; } | awk '{ print $NF }' \
        | grep -E '^claimgate_panicked$|core9panicking|rust_begin_unwind|_fail$|_Unwind_' || true
}

build
found=$(panics)
if [ -n "$found" ]; then
    printf 'a panic can be reached:\n%s\n' "$found"
    exit 1
fi
[ "$(nm "$library" 2>/dev/null | grep -cE ' T (validate_(access|id)_token|parse_key_set|take_key|issuer_of)$')" = 5 ]
echo "no panic can be reached"

# Who calls whom: each function's references to code and to tables of code, and
# what it takes of the stack. A loop is recursion, which tsort reports.
ar x --output "$scratch" "$library" "$(ar t "$library" | head -1)"
objdump -dr --no-show-raw-insn "$scratch"/*.o > "$scratch/code"
objdump -r "$scratch"/*.o > "$scratch/tables"
awk '
    function hex(text,    value, at) {
        for (at = 1; at <= length(text); at++)
            value = value * 16 + index("0123456789abcdef", substr(text, at, 1)) - 1
        return value
    }
    function target(text) {
        sub(/[-+]0x[0-9a-f]+$/, "", text)
        sub(/^\.text\.(unlikely\.)?/, "", text)
        return text
    }
    FNR == 1 { file++ }
    file == 1 && /^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); print "F", name, 8 }
    file == 1 && /\tpush / { print "F", name, 8 }
    file == 1 && /\tsub +\$0x[0-9a-f]+,%rsp/ {
        match($0, /\$0x[0-9a-f]+/); print "F", name, hex(substr($0, RSTART + 3, RLENGTH - 3))
    }
    # A large frame is touched page by page, down to what r11 says.
    file == 1 && /\tlea +-0x[0-9a-f]+\(%rsp\),%r11/ {
        match($0, /-0x[0-9a-f]+/); print "F", name, hex(substr($0, RSTART + 3, RLENGTH - 3)) - 4096
    }
    file == 1 && /R_X86_64_/ { print "E", name, target($3) }
    file == 2 && /^RELOCATION RECORDS FOR/ { table = substr($4, 2, length($4) - 3) }
    file == 2 && table ~ /^\.data/ && /R_X86_64_64/ { print "E", table, target($3) }
' "$scratch/code" "$scratch/tables" > "$scratch/graph"
if awk '/^[0-9a-f]+ <.*>:$/ { name = substr($2, 1, length($2) - 1) }
    /\tcall / && $NF == name { print "a function calls itself: " name; found = 1 }
    END { exit !found }' "$scratch/code"
then
    exit 1
fi
# `write_fmt` is in each table of a writer, of which core calls only the others.
awk '$1 == "E" && $2 != $3 && !($2 ~ /^\.data/ && $3 ~ /write_fmt/) { print $2, $3 }' "$scratch/graph" | sort -u > "$scratch/edges"
tsort "$scratch/edges" > "$scratch/order"
echo "no function can come to call itself"

# The deepest stack below each entry: callees are later in the order.
tac "$scratch/order" | awk '
    FILENAME != "-" && $1 == "F" { frame[$2] += $3 }
    FILENAME != "-" && $1 == "E" && $2 != $3 && !(($2, $3) in seen) {
        seen[$2, $3]; callees[$2] = callees[$2] " " $3
    }
    FILENAME == "-" {
        deepest = 0
        count = split(callees[$1], names, " ")
        for (at = 1; at <= count; at++)
            if (depth[names[at]] > deepest) deepest = depth[names[at]]
        depth[$1] = frame[$1] + deepest
    }
    END {
        for (name in depth)
            if (name ~ /^(validate_|parse_key_set|refresh)/) {
                printf "stack below %s: %d bytes at most\n", name, depth[name]
                # What SECURITY.md promises.
                if (depth[name] > 32 * 1024) { failed = 1; print "MORE THAN 32 KiB" }
            }
        exit failed
    }
' "$scratch/graph" - | sort

build --features panicking
if [ -z "$(panics)" ]; then
    echo "the check does not see a panic that is there"
    exit 1
fi
echo "a panic that is there is found"
