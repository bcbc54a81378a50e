#!/usr/bin/env bash
# All tests of the crate, and a load against a certified provider, oidc-provider.
#
#   bash crates/tower/tests/run.sh
#
# The provider comes from npm into a folder of its own and runs on the loopback interface; its scripts
# are those of tests/provider. Its keys are rotated, it is stopped and started again, while workers
# validate its tokens without a pause. The last line has the figures.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
provider=$here/../../../tests/provider
folder=$(mktemp -d)
touch "$folder/log"
receiver_pid=""
provider_pid=""
load_pid=""

stop_provider() {
    if [ -n "$provider_pid" ]; then
        kill "$provider_pid" 2> /dev/null || true
        wait "$provider_pid" 2> /dev/null || true
        provider_pid=""
    fi
}
clean_up() {
    status=$?
    set +e
    trap '' PIPE
    stop_provider
    for pid in $receiver_pid $load_pid; do kill "$pid" 2> /dev/null; done
    if [ "$status" != 0 ]; then
        echo "== failed; the end of the logs:"
        tail -n 15 "$folder/log" "$folder/load.log" 2> /dev/null
    fi
    rm -rf "$folder"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# --- tools ------------------------------------------------------------------------------------------

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
install() { # COMMAND PACKAGE…
    if command -v "$1" > /dev/null; then return; fi
    shift
    echo "== installing $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}
install redis-server redis-server
install npm nodejs npm
cp "$provider"/{package.json,package-lock.json,.npmrc} "$provider"/*.mjs "$folder"
(cd "$folder" && npm ci --silent)
is_recent='process.exit(typeof URL.parse === "function" && require("crypto").hash ? 0 : 1)'
if ! node -e "$is_recent"; then
    echo "== $(node --version) is too old for the provider; installing a newer one from npm"
    case $(uname -m) in x86_64) cpu=x64 ;; aarch64) cpu=arm64 ;; *) cpu=$(uname -m) ;; esac
    npm install --silent --ignore-scripts --prefix "$folder/node" "node-linux-$cpu@22.23.3"
    PATH="$folder/node/node_modules/node-linux-$cpu/bin:$PATH"
fi

# What follows is on this machine.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

# --- tests ------------------------------------------------------------------------------------------

cd "$here/.."
features=axum,redis
cargo test --features "$features" > "$folder/tests" 2>&1 || { cat "$folder/tests"; exit 1; }
passed=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$folder/tests" \
    | awk '{ sum += $1 } END { print sum }')
echo "== $passed tests passed"
cargo build --quiet --features "$features" --example provider_load
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

# --- the provider -----------------------------------------------------------------------------------

wait_for() { # FILE PID
    for _ in $(seq 200); do
        if [ -e "$folder/$1" ]; then return; fi
        if ! kill -0 "$2" 2> /dev/null; then break; fi
        sleep 0.1
    done
    echo "$1: it does not start"
    return 1
}
(cd "$folder" && exec node receiver.mjs receiver received) >> "$folder/log" 2>&1 &
receiver_pid=$!
wait_for receiver "$receiver_pid"

port=0
start_provider() { # KEYS…
    rm -f "$folder/provider"
    (cd "$folder" && exec node provider.mjs "$port" provider "$(cat receiver)" "$@") \
        >> "$folder/log" 2>&1 9>&- &
    provider_pid=$!
    wait_for provider "$provider_pid"
    issuer=$(cat "$folder/provider")
    # The same issuer after each restart.
    port=${issuer##*:}
}
log_in() { (cd "$folder" && node login.mjs "$issuer" "$1" received > "$1.json"); }

# --- the load ---------------------------------------------------------------------------------------

say() { # COMMAND…
    echo "$*" >&9
    for _ in $(seq 300); do
        if grep -qxF "done: $*" "$folder/load.log"; then return; fi
        if ! kill -0 "$load_pid" 2> /dev/null; then break; fi
        sleep 0.1
    done
    echo "$*: not done"
    return 1
}

(cd "$folder" && node keys.mjs old 2048 > old.keys && node keys.mjs new 3072 > new.keys)
start_provider old.keys
echo "== logins at $issuer"
log_in old
mkfifo "$folder/commands"
(cd "$folder" && exec "$target/debug/examples/provider_load" "$issuer") \
    < "$folder/commands" > "$folder/load.log" 2>&1 &
load_pid=$!
exec 9> "$folder/commands"
say good old.json
say expect valid old.json

echo "== the provider is restarted with new keys, and publishes the old ones as well"
stop_provider
sleep 2
start_provider new.keys old.keys
log_in new
say good old.json new.json
say expect valid new.json

echo "== the provider is away for five seconds"
stop_provider
sleep 5
say expect valid old.json
say expect valid new.json

echo "== the old keys are withdrawn"
say good new.json
start_provider new.keys
say expect unknown_key old.json
say expect valid new.json

echo "== ten thousand unknown kids"
say flood 10000
say expect valid new.json
# The end of the commands is the end of the load.
exec 9>&-
status=0
wait "$load_pid" || status=$?
load_pid=""
grep '^flood' "$folder/load.log"
if [ "$status" != 0 ]; then exit 1; fi
echo "tower: $passed tests; $(tail -n 1 "$folder/load.log")"
