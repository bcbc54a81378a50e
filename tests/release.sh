#!/usr/bin/env bash
# The checks of a release: the package, its documentation as docs.rs builds it, the oldest
# dependencies it claims, licences, the tables of COMPARE.md, and a stranger's first hour with it.
#
#   bash tests/release.sh            # needs the nightly toolchain
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
step() { printf '\n== %s\n' "$*"; }
rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal

step "licences of everything a user builds"
allowed=' Apache-2.0 BSL-1.0 MIT ISC BSD-3-Clause BSD-2-Clause Unicode-3.0 Unlicense CC0-1.0 MIT-0 LLVM-exception '
cargo tree --all-features -e normal,build --prefix none --format '{l}|{p}' | sed 's/ (\*)$//' |
    sort -u | while IFS='|' read -r licence package; do
        for word in $(tr -s '()/' ' ' <<< "$licence" | sed 's/ \(OR\|AND\|WITH\) / /g'); do
            [[ $allowed == *" $word "* ]] || { echo "$package: $licence"; exit 1; }
        done
    done
echo "ok"

step "package"
# claimgate-rsa goes first, since claimgate depends on it.
cargo package -p claimgate-rsa -p claimgate --allow-dirty --quiet 2>&1 | tee "$folder/package.log"
[ ! -s "$folder/package.log" ] || { echo "cargo package warns"; exit 1; }
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
version=$(cargo pkgid | sed 's/.*[#@]//')
for crate in claimgate claimgate-rsa; do tar -xzf "$target/package/$crate-$version.crate" -C "$folder"; done
package=$folder/claimgate-$version
# As if it were published already.
mkdir "$folder/.cargo"
printf '[patch.crates-io]\nclaimgate-rsa = { path = "%s" }\n' "$folder/claimgate-rsa-$version" > "$folder/.cargo/config.toml"
(cd "$package" && find . -type f | sort) > "$folder/files"
if grep -vE '^\./(src/|examples/|docs/|benches/(README\.md|peers\.svg)$|tests/data/keys/|tests/rules\.md$|Cargo\.|LICENSE-|[A-Z]+\.md$|\.cargo_vcs_info)' "$folder/files"; then
    echo "these files are of no use to users"
    exit 1
fi
# Files to which the packaged pages link must be packaged, too.
(cd "$package" && for page in *.md benches/README.md; do
    { grep -oE '\]\([^):# ]+\)' "$page" || true; } | tr -d ']()' | sort -u | while read -r link; do
        [ -e "$(dirname "$page")/$link" ] || echo "$page: $link is not in the package"
    done
done) | tee "$folder/links.log"
[ ! -s "$folder/links.log" ] || exit 1
printf '%s files, %s bytes\n' "$(wc -l < "$folder/files")" "$(cat "$target/package/claimgate-$version.crate" | wc -c)"

step "a stranger's first hour: the README's examples in an empty folder, with the packaged crate"
mkdir -p "$folder/stranger/src/bin"
cat > "$folder/stranger/Cargo.toml" <<TOML
[package]
name = "stranger"
version = "0.0.0"
edition = "2024"

[dependencies]
claimgate = { path = "$package", features = ["pure-rust"] }
TOML
# Each block that is a whole program becomes one.
awk -v folder="$folder/stranger/src/bin" '
    /^```rust/ { block = "" ; inside = 1; next }
    /^```/ && inside {
        inside = 0
        if (block ~ /fn main/) { count++; printf "%s", block > (folder "/example" count ".rs") }
        next
    }
    inside { sub(/^# /, ""); block = block $0 "\n" }' README.md
ls "$folder/stranger/src/bin"
cd "$folder/stranger"
CARGO_TARGET_DIR=$folder/target cargo build --quiet
cp "$package/examples/validate/demo/jwks.json" .
# The demonstration tokens have expired: each example must report only that.
id_token=$(cat "$package/examples/validate/demo/id_token.jwt")
access_token=$(cat "$package/examples/validate/demo/access_token.jwt")
"$folder/target/debug/example1" "Bearer $access_token" 2>&1 | tee -a log
"$folder/target/debug/example2" "$id_token" nonce 2>&1 | tee -a log || true
[ "$(grep -ciE 'expired' log)" -ge 2 ] || { echo "not what was expected"; exit 1; }
cd "$package"
CARGO_TARGET_DIR=$target cargo check --quiet --examples
cd "$root"

step "documentation, as docs.rs builds it"
# With the features of nightly, and what was compiled for the other steps.
RUSTC_BOOTSTRAP=1 RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo doc --quiet --no-deps --all-features

step "the oldest dependencies that it claims"
mkdir "$folder/oldest"
git ls-files -z | grep -zvE '^tests/(compare|firmware)/|^benches/peers/' |
    xargs -0 cp --parents -t "$folder/oldest"
cd "$folder/oldest"
rm -f Cargo.lock
cargo +nightly update --quiet -Zdirect-minimal-versions
# aws-lc-rs takes minutes of C to build: OLDEST=--all-features checks it too.
CARGO_TARGET_DIR=$folder/target cargo check --quiet ${OLDEST:---features pure-rust,std,defmt}
cd "$root"

step "the verdicts in COMPARE.md"
# A package of its own, which builds in minutes.
cargo run --quiet --manifest-path tests/compare/Cargo.toml -- --check > /dev/null
echo "ok"

printf '\nall that a release has to show\n'
