#!/usr/bin/env bash
# forward_auth behind nginx, with an issuer, an application and a load, over real HTTP.
#
#   bash tests/gateway/run.sh            # LOAD_SECONDS=20 COOL_DOWN=3
#
# It installs nginx, wrk and curl from Debian if they are missing, keeps to a folder and ports of its
# own, and takes both away again.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
load_seconds=${LOAD_SECONDS:-20}
cool_down=${COOL_DOWN:-3}

# --- tools ------------------------------------------------------------------------------------------

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
export PATH="$PATH:/usr/sbin:/sbin"
missing=()
for tool in nginx wrk curl; do command -v "$tool" > /dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
    echo "== installing ${missing[*]}"
    as_root apt-get update -qq
    # Not started as a service, and without recommendations.
    as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
cargo build --quiet --release --example forward_auth --example demo_token
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
forward_auth=$target/release/examples/forward_auth
demo_token=$target/release/examples/demo_token

# What follows is on this machine.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

# --- a folder, ports, and their end -----------------------------------------------------------------

folder=$(mktemp -d)
declare -A pids=()
stop() {
    if [ -n "${pids[$1]:-}" ]; then
        kill "${pids[$1]}" 2> /dev/null || true
        wait "${pids[$1]}" 2> /dev/null || true
        unset "pids[$1]"
    fi
}
clean_up() {
    status=$?
    for name in "${!pids[@]}"; do stop "$name"; done
    if [ "$status" != 0 ]; then
        echo "== failed; the end of the logs:"
        tail -n 15 "$folder"/*.log || true
    fi
    rm -rf "$folder"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

next_port=$((20000 + RANDOM % 20000))
free_port() {
    while (: < "/dev/tcp/127.0.0.1/$next_port") 2> /dev/null; do next_port=$((next_port + 1)); done
    port=$next_port
    next_port=$((next_port + 1))
}
free_port; gateway_port=$port
free_port; upstream_port=$port
free_port; auth_port=$port
free_port; issuer_port=$port
for file in nginx.conf issuer.conf forward_auth.toml; do
    sed -e "s/GATEWAY_PORT/$gateway_port/; s/UPSTREAM_PORT/$upstream_port/; s/AUTH_PORT/$auth_port/" \
        -e "s/ISSUER_PORT/$issuer_port/; s/COOL_DOWN/$cool_down/" "$here/$file" > "$folder/$file"
done
mkdir "$folder/jwks"

wait_for() {
    for _ in $(seq 100); do
        if curl -sf -o /dev/null "$1"; then return; fi
        sleep 0.1
    done
    echo "nothing answers at $1"
    return 1
}
start_nginx() { # NAME CONFIGURATION
    # As root, workers would run as nobody, who may not read the folder.
    local user=""
    if [ "$(id -u)" = 0 ]; then user="user root;"; fi
    nginx -p "$folder" -c "$folder/$2" -e "$folder/$1.error.log" -g "$user" 2> "$folder/$1.log" &
    pids[$1]=$!
}
start_issuer() {
    start_nginx issuer issuer.conf
    wait_for "http://127.0.0.1:$issuer_port/jwks.json"
}
publish() { # KEYS
    "$demo_token" --jwks $(printf -- '--key %s ' "$@") > "$folder/jwks/new"
    mv "$folder/jwks/new" "$folder/jwks/jwks.json"
}
start_forward_auth() { # LOG LEVEL
    "$forward_auth" --config "$folder/forward_auth.toml" --log "$1" --log-format json \
        2>> "$folder/forward_auth.log" &
    pids[forward_auth]=$!
    wait_for "http://127.0.0.1:$auth_port/healthz"
}

# --- checks -----------------------------------------------------------------------------------------

url=http://127.0.0.1:$gateway_port/patients/17
checks=0
ask() { # CURL ARGUMENTS…: sets $status and $headers
    headers=$(curl -s -o /dev/null -D - "$@" | tr -d '\r')
    status=$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' <<< "$headers")
}
with_token() { ask -H "Authorization: Bearer $1" "${@:2}"; }
header() { sed -n "s/^$1: //Ip" <<< "$headers"; }
is() { # WHAT EXPECTED FOUND
    checks=$((checks + 1))
    if [ "$2" != "$3" ]; then
        printf 'not as it should be: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"
        return 1
    fi
    printf '  ok: %s\n' "$1"
}
metric() { curl -s "http://127.0.0.1:$auth_port/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }
invalid() { echo "Bearer realm=\"health\", error=\"invalid_token\", error_description=\"$1\""; }

publish a
cp "$folder/jwks/jwks.json" "$folder/jwks/other.json"
start_issuer
start_forward_auth debug
start_nginx gateway nginx.conf
wait_for "http://127.0.0.1:$upstream_port/"
sleep 0.2

echo "== verdicts"
good=$("$demo_token")
with_token "$good" "$url"
is "a valid token passes" 200 "$status"
is "the application sees the subject" "auth0|123456" "$(header X-Seen-Subject)"
is "the application sees no token" "[]" "$(header X-Seen-Authorization)"
seen() { echo "$(header X-Seen-Scope) $(header X-Seen-Issuer) $(header X-Seen-Client)"; }
others=$(seen)
with_token "$good" -H "X-Auth-Subject: admin" -H "X-Auth-Scope: admin" -H "X-Auth-Issuer: admin" \
    -H "X-Auth-Client: admin" "$url"
is "a client cannot set the subject" "auth0|123456" "$(header X-Seen-Subject)"
is "a client cannot set scope, issuer and client" "$others" "$(seen)"
with_token "$good" -H "X-Original-URI: /open" -X POST "$url"
is "a client cannot set the route" 403 "$status"
ask "$url"
is "no token: 401" 401 "$status"
is "no token: a bare challenge" 'Bearer realm="health"' "$(header WWW-Authenticate)"
ask -H "Authorization: Basic YTpi" "$url"
is "another scheme: a bare challenge" 'Bearer realm="health"' "$(header WWW-Authenticate)"
with_token "$("$demo_token" --expires-in -120)" "$url"
is "expired: 401" 401 "$status"
is "expired: why" "$(invalid "The token has expired")" "$(header WWW-Authenticate)"
with_token "$("$demo_token" --expires-in -30)" "$url"
is "expired within the leeway: 200" 200 "$status"
with_token "$("$demo_token" --audience https://example.com/bank-api)" "$url"
is "wrong audience: 401" 401 "$status"
is "wrong audience: why" "$(invalid "The token is for another audience")" "$(header WWW-Authenticate)"
with_token "$("$demo_token" --id-token --audience my_client_id)" "$url"
is "ID token: 401" 401 "$status"
is "ID token: why" "$(invalid "The token is for another audience")" "$(header WWW-Authenticate)"
with_token "$("$demo_token" --id-token)" "$url"
is "ID token that names the API: 401" 401 "$status"
is "ID token that names the API: why" \
    "$(invalid "The token is not an access token")" "$(header WWW-Authenticate)"
with_token "$("$demo_token" --issuer https://evil.example/)" "$url"
is "unknown issuer: why" "$(invalid "The issuer is not trusted")" "$(header WWW-Authenticate)"
with_token "$("$demo_token" --issuer https://other.example/)" "$url"
is "another issuer's token for this API: why" \
    "$(invalid "The token is for another audience")" "$(header WWW-Authenticate)"
with_token "$("$demo_token" --scope "openid profile")" "$url"
is "missing scope: 403" 403 "$status"
is "missing scope: why" 'Bearer realm="health", error="insufficient_scope", error_description="The request requires a higher privilege", scope="read:patients"' "$(header WWW-Authenticate)"
with_token "$good" -X DELETE "$url"
is "missing scope for another method: 403" 403 "$status"
with_token "$good" --path-as-is "http://127.0.0.1:$gateway_port/elsewhere"
is "no route: 403" 403 "$status"
with_token "$good" --path-as-is "http://127.0.0.1:$gateway_port/patients/%2e%2e/admin"
is "a path with two readings: 403" 403 "$status"
with_token "${good%??}AA" "$url"
is "tampered signature: 401" 401 "$status"
ask -H "Authorization: Bearer $good" -H "Authorization: Bearer $good" "$url"
is "two Authorization headers do not pass" "" "$(grep -c '^HTTP/1.1 200' <<< "$headers" | sed 's/^0$//')"

echo "== key rotation"
new=$("$demo_token" --key b)
with_token "$new" "$url"
is "a key that nobody has published: 401" 401 "$status"
publish b
rotated=$(date +%s%N)
until with_token "$new" "$url"; [ "$status" = 200 ]; do
    took=$((($(date +%s%N) - rotated) / 1000000))
    if [ "$took" -gt $(((cool_down + 2) * 1000)) ]; then break; fi
    sleep 0.1
done
took=$((($(date +%s%N) - rotated) / 1000000))
is "the new key works within the cool-down (after $took ms)" 200 "$status"
with_token "$good" "$url"
is "the old key's tokens stop: 401" 401 "$status"
is "the old key's tokens stop: why" "$(invalid "No usable key matches the token")" "$(header WWW-Authenticate)"

echo "== the issuer is down"
stop issuer
sleep $((cool_down + 1))
with_token "$good" "$url"
is "an unknown key: 401" 401 "$status"
with_token "$new" "$url"
is "the known key goes on working" 200 "$status"
failures=$(metric 'forward_auth_jwks_fetches_total{issuer="https://my-domain.auth0.com/",outcome="failure"}')
is "a fetch was tried and failed" yes "$([ "${failures:-0}" -ge 1 ] && echo yes)"
is "it is still healthy" 200 "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$auth_port/healthz")"

echo "== the end"
auth_pid=${pids[forward_auth]}
kill -TERM "$auth_pid"
ended=0
wait "$auth_pid" || ended=$?
unset "pids[forward_auth]"
is "SIGTERM ends it with status 0" 0 "$ended"
is "the log names no token" 0 "$(grep -c 'eyJ' "$folder/forward_auth.log" || true)"
is "the log tells verdicts" yes "$(grep -q '"code":"expired"' "$folder/forward_auth.log" && echo yes)"

echo "== a load of $load_seconds seconds"
publish a
start_issuer
: > "$folder/issuer.log"
start_forward_auth info
{
    # 28 users whose tokens pass, and 12 requests that do not.
    for user in $(seq 28); do
        printf '200\tauth0|%s\t%s\n' "$user" "$("$demo_token" --subject "auth0|$user")"
    done
    printf '401\tBearer realm="health"\t\n'
    printf '401\tThe token has expired\t%s\n' "$("$demo_token" --expires-in -120)"
    printf '401\tThe token has expired\t%s\n' "$("$demo_token" --expires-in -3600 --subject "auth0|1")"
    printf '401\tThe token is for another audience\t%s\n' \
        "$("$demo_token" --audience https://example.com/bank-api)"
    printf '401\tThe token is not an access token\t%s\n' "$("$demo_token" --id-token)"
    printf '401\tThe issuer is not trusted\t%s\n' "$("$demo_token" --issuer https://evil.example/)"
    printf '403\tinsufficient_scope\t%s\n' "$("$demo_token" --scope "openid profile")"
    printf '401\tNo usable key matches the token\t%s\n' "$("$demo_token" --key b)"
    printf '401\tThe signature is invalid\t%s\n' "${good%??????}AAAAAA"
    printf '401\tThe token is malformed\t%s\n' "${good%?}"
    printf '401\tThe token is not a JWT\topaque\n'
    printf '401\tThe signature algorithm is not accepted\t%s\n' "$(cat examples/validate/demo/hs256.jwt)"
} | shuf --random-source="$here/load.lua" > "$folder/tokens"

validation=forward_auth_validation_seconds_sum
request=forward_auth_request_seconds_sum
cpu() { awk '{ print $14 + $15 }' "/proc/${pids[forward_auth]}/stat"; }
before=$(cpu)
TOKENS=$folder/tokens wrk -t 2 -c 32 -d "${load_seconds}s" -s "$here/load.lua" \
    "http://127.0.0.1:$gateway_port" > "$folder/wrk.log" 2>&1
after=$(cpu)
grep 'wrong verdict' "$folder/wrk.log" || true
line=$(grep '^load ' "$folder/wrk.log")
for pair in ${line#load }; do declare "load_${pair%%=*}=${pair#*=}"; done
is "no wrong verdict among $load_answered" 0 "$load_wrong"
is "no request failed" 0 "$load_failed"
is "most requests passed" yes "$([ "$load_passed" -gt $((load_answered / 2)) ] && echo yes)"
fetches=$(grep -c 'GET /jwks.json' "$folder/issuer.log")
is "the issuer was asked $fetches times, once per cool-down" yes \
    "$([ "$fetches" -le $((load_seconds / cool_down + 3)) ] && echo yes)"

awk -v validation="$(metric $validation)" -v request="$(metric $request)" \
    -v cpu="$(((after - before) * 1000 / $(getconf CLK_TCK)))" -v seconds="$load_seconds" \
    -v cores="$(nproc)" -v hits="$(metric forward_auth_cache_hits_total)" \
    -v misses="$(metric forward_auth_cache_misses_total)" -v per_second="$load_per_second" \
    -v p50="$load_p50_us" -v p99="$load_p99_us" 'BEGIN {
    printf "== %d requests per second through nginx, p50 %d us, p99 %d us\n", per_second, p50, p99
    printf "   validation %.2f s: %.1f %% of forward_auth'"'"'s time on requests (%.2f s),\n", \
        validation, 100 * validation / request, request
    printf "   %.1f %% of the machine (%d cores, %d s); forward_auth took %.2f s of CPU time\n", \
        100 * validation / (seconds * cores), cores, seconds, cpu / 1000
    printf "   cache: %d hits, %d misses\n", hits, misses
}'
echo "== $checks checks passed"
