#!/usr/bin/env python3
"""Prints a table of the bytes of flash by part of the program, of files that contain the
output of `size` and of `nm -S -C`."""
import re
import sys

# The first match decides.
PARTS = [
    ("JSON", r"claimgate::(json|bytes)"),
    ("base64url", r"claimgate::base64url"),
    ("key sets", r"claimgate::(jwk|roca|algorithm)"),
    ("JWS", r"claimgate::jws"),
    ("claims", r"claimgate::(claims|standard_claims|validated|id_token|access_token|user_info)"),
    ("policies", r"claimgate::(policy|trust|validator|bearer|compare|request_key)"),
    ("RSA and keys", r"claimgate_rsa|claimgate::public_key"),
    ("SHA-256", r"sha2"),
    ("this program: main, console, meter, and code inlined into them", r"(claimgate_firmware|table|access_token)::|_main|cortex_m|__INTERRUPTS|Reset|HardFault"),
    ("memcpy and the like", r"mem(cpy|move|set|cmp|clr)|compiler_builtins|__aeabi"),
    ("core", r"^(<?&?(mut )?(\(|\[)?)?(core|str|u8|char|usize|u64|i64)\b"),
]
CONSTANTS = re.compile(r"^(anon|\.L|str\.|switch|alloc_)|\.Lanon|\.Lswitch")
REST = "named constants, other"
UNNAMED = "constants without a name: tokens of the demonstration, texts; alignment"


def sizes(path):
    found = {name: 0 for name, _ in PARTS} | {REST: 0, UNNAMED: 0}
    with open(path) as file:
        lines = file.readlines()
    text, data = (int(number) for number in lines[1].split()[:2])
    for line in lines[2:]:
        match = re.match(r"[0-9a-f]+ ([0-9a-f]+) ([tTrRdDwW]) (.*)", line)
        if not match:
            continue
        size, _, symbol = match.groups()
        part = REST
        if not CONSTANTS.search(symbol):
            part = next((name for name, pattern in PARTS if re.search(pattern, symbol)), REST)
        found[part] += int(size, 16)
    found[UNNAMED] = text + data - sum(found.values())
    return found


table, access_token = (sizes(path) for path in sys.argv[1:])
print("| part | `table` | `access_token` |")
print("| --- | ---: | ---: |")
for name in table:
    print(f"| {name} | {table[name]:,} | {access_token[name]:,} |")
print(f"| flash | {sum(table.values()):,} | {sum(access_token.values()):,} |")
