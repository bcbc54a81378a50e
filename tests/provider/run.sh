#!/usr/bin/env bash
# Tokens of a certified provider, oidc-provider, judged by `validate --batch`.
#
#   bash tests/provider/run.sh
#
# It installs the provider from npm into a folder of its own, runs it on a free port of the loopback
# interface, and takes both away again. Environment:
#
#   ALGORITHMS="RS256 PS256 ES256 EdDSA"    whose tokens are judged
#   BACKENDS="ring aws-lc-rs pure-rust"     which verify them
#   KINDS="id access logout dpop"           of which kinds
#   VALIDATE=FILE                           a built example, instead of building it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export ALGORITHMS=${ALGORITHMS:-RS256 PS256 ES256 EdDSA}
export BACKENDS=${BACKENDS:-ring aws-lc-rs pure-rust}
export KINDS=${KINDS:-id access logout dpop}

folder=$(mktemp -d)
touch "$folder/provider.log"
receiver_pid=""
provider_pid=""
stop_provider() {
    if [ -n "$provider_pid" ]; then
        kill "$provider_pid" 2> /dev/null || true
        wait "$provider_pid" 2> /dev/null || true
        provider_pid=""
    fi
}
clean_up() {
    status=$?
    # Even where nobody reads the output any more.
    set +e
    trap '' PIPE
    stop_provider
    if [ -n "$receiver_pid" ]; then kill "$receiver_pid" 2> /dev/null || true; fi
    if [ "$status" != 0 ]; then
        echo "== failed; the end of the provider's log:"
        grep -v -e NOTICE -e WARNING "$folder/provider.log" | tail -n 15 || true
    fi
    rm -rf "$folder"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# --- tools ------------------------------------------------------------------------------------------

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
    echo "== installing nodejs and npm"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends nodejs npm > /dev/null
fi
cp "$here"/{package.json,package-lock.json,.npmrc} "$here"/*.mjs "$folder"
(cd "$folder" && npm ci --silent)
is_recent='process.exit(typeof URL.parse === "function" && require("crypto").hash ? 0 : 1)'
if ! node -e "$is_recent"; then
    # Debian 12 has Node 18. The registry has the program itself as a package.
    echo "== $(node --version) is too old for the provider; installing a newer one from npm"
    case $(uname -m) in x86_64) cpu=x64 ;; aarch64) cpu=arm64 ;; *) cpu=$(uname -m) ;; esac
    npm install --silent --ignore-scripts --prefix "$folder/node" "node-linux-$cpu@22.23.3"
    PATH="$folder/node/node_modules/node-linux-$cpu/bin:$PATH"
fi
if [ -n "${VALIDATE:-}" ]; then
    validate=$(realpath "$VALIDATE")
else
    cd "$here/../.."
    cargo build --quiet --release --all-features --example validate
    target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    validate=$target/release/examples/validate
fi

# What follows is on this machine.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

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
(cd "$folder" && exec node receiver.mjs receiver received) >> "$folder/provider.log" 2>&1 &
receiver_pid=$!
wait_for receiver "$receiver_pid"

port=0
start_provider() { # KEYS…
    rm -f "$folder/provider"
    (cd "$folder" && exec node provider.mjs "$port" provider "$(cat receiver)" "$@") \
        >> "$folder/provider.log" 2>&1 &
    provider_pid=$!
    wait_for provider "$provider_pid"
    issuer=$(cat "$folder/provider")
    # The same issuer after each restart.
    port=${issuer##*:}
}
login() { (cd "$folder" && node login.mjs "$issuer" "$1" received > "$1.json"); }

(cd "$folder" && node keys.mjs old 2048 > old.keys && node keys.mjs new 3072 > new.keys)
start_provider old.keys
echo "== logins at $issuer"
login old
stop_provider
echo "== the keys are rotated: for a while both are published"
start_provider new.keys old.keys
login new
stop_provider
start_provider new.keys
node -e 'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.stdout.write(text))' \
    "$issuer/jwks" > "$folder/new.jwks"
stop_provider

# --- verdicts ---------------------------------------------------------------------------------------

cd "$folder"
node cases.mjs old.json new.json new.jwks cases.jsonl expected.json
node second_opinion.mjs cases.jsonl expected.json
"$validate" --batch cases.jsonl > answers.jsonl
node compare.mjs cases.jsonl expected.json answers.jsonl
