#!/usr/bin/env bash
# Counts instructions with callgrind. RSA is left out.
#
# Ordinary inputs are compared with figures.txt: more than 5 % above a figure fails.
# `run.sh --write` writes the figures. A hostile input fails if it costs more than
# 4 times per byte what an ordinary one of its kind does: the access token, or the
# key set. Four claim rules may cost 5 % of a validation.
#
# A count is the difference of two runs of different length, so that what comes
# before and after the work does not count.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR="$PWD/target"
readonly LIMIT=4

command -v valgrind >/dev/null || { apt-get update && apt-get install -y valgrind; }
cargo build --quiet --release
program=target/release/claimgate-instructions
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

count() {
  valgrind --tool=callgrind --callgrind-out-file="$out/profile" "$program" "$1" "$2" >"$out/log" 2>&1 ||
    { cat "$out/log" >&2; exit 1; }
  awk '/Collected/ { print $4 }' "$out/log"
}

# Sets `found`, the instructions for one CASE, of which few and many runs are counted.
measure() {
  local few many
  few=$(count "$1" "$2")
  many=$(count "$1" "$3")
  found=$(((many - few) / ($3 - $2)))
}

failed=0
[ "${1:-}" = --write ] && : >figures.txt
for case in access_token claim_rules large_token id_token cache_hit wrong_algorithm key_set dpop_proof; do
  measure $case 100 600
  length=$("$program" $case 1)
  [ $case = access_token ] && token=($found "$length")
  if [ $case = claim_rules ] && [ $((found * 100)) -gt $((token * 105)) ]; then
    echo "claim_rules: more than 5 % above access_token"
    failed=1
  fi
  [ $case = key_set ] && key_set=($found "$length")
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

for case in $("$program"); do
  case $case in
    hostile_key*) ordinary=("${key_set[@]}") name=key_set ;;
    *) ordinary=("${token[@]}") name=access_token ;;
  esac
  measure "$case" 2 12
  length=$("$program" "$case" 1)
  # In hundredths.
  ratio=$((found * ordinary[1] * 100 / (length * ordinary[0])))
  verdict=ok
  if [ $ratio -gt $((LIMIT * 100)) ]; then verdict="MORE THAN $LIMIT TIMES"; failed=1; fi
  printf '%s: %d instructions, %d bytes, %d.%02d times %s per byte: %s\n' \
    "$case" $found "$length" $((ratio / 100)) $((ratio % 100)) $name "$verdict"
done
exit $failed
