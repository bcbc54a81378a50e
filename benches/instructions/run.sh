#!/usr/bin/env bash
# Counts instructions with callgrind and compares them with figures.txt:
# more than 5 % above a figure fails. `run.sh --write` writes the figures.
#
# A count is the difference of two runs of different length, so that what comes
# before and after the work does not count. RSA is left out.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="$PWD/target"

command -v valgrind >/dev/null || { apt-get update && apt-get install -y valgrind; }
cargo build --quiet --release
program=target/release/claimgate-instructions
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

count() {
  valgrind --tool=callgrind --callgrind-out-file="$out/profile" "$program" "$1" "$2" >"$out/log" 2>&1 ||
    { cat "$out/log"; exit 1; }
  awk '/Collected/ { print $4 }' "$out/log"
}

failed=0
[ "${1:-}" = --write ] && : >figures.txt
for case in access_token large_token id_token cache_hit wrong_algorithm hostile_header key_set; do
  few=$(count $case 100)
  many=$(count $case 600)
  found=$(((many - few) / 500))
  if [ "${1:-}" = --write ]; then
    echo "$case $found" >>figures.txt
    echo "$case: $found instructions"
    continue
  fi
  figure=$(awk -v case=$case '$1 == case { print $2 }' figures.txt)
  verdict=ok
  if [ $((found * 100)) -gt $((figure * 105)) ]; then verdict="MORE THAN 5 % ABOVE"; failed=1; fi
  if [ $((found * 100)) -lt $((figure * 90)) ]; then verdict="far below: write the figure anew"; fi
  echo "$case: $found instructions, the figure is $figure: $verdict"
done
[ "${1:-}" = --write ] && rustc --version | sed 's/^/# /' >>figures.txt
exit $failed
