#!/usr/bin/env python3
"""nginx with the module beside Envoy's jwt_authn and HAProxy's jwt_verify.

    peers.py accept MODULE.so FOLDER ENVOY     who accepts what, as a table in Markdown
    peers.py cpu    MODULE.so FOLDER ENVOY     CPU that each request adds, in microseconds

One process and one thread each, on the loopback interface. For "cpu", on one processor, and the
client on another; each figure is the median of ROUNDS runs of LOAD_SECONDS, which are interleaved.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time

from cryptography.hazmat.primitives import serialization

from tokens import AUDIENCE, ISSUER, Key, b64, claims, jwks

MODE, MODULE, FOLDER, ENVOY = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3], sys.argv[4]
FOLDER = os.path.abspath(FOLDER)
PORT = int(os.environ.get("PORT", "18451"))
SECONDS = int(os.environ.get("LOAD_SECONDS", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
PROCESSORS = sorted(os.sched_getaffinity(0))
NAMES = ["claimgate in nginx", "Envoy jwt_authn", "HAProxy jwt_verify"]
PORTS = dict(zip(NAMES, [PORT, PORT + 1, PORT + 2]))
KEY, OTHER = Key("a"), Key("b")


def write(name, text):
    with open(f"{FOLDER}/{name}", "w", encoding="utf-8") as file:
        file.write(text)
    return f"{FOLDER}/{name}"


def start():
    """The three programs. The settings are those of their own documentation."""
    os.makedirs(FOLDER, exist_ok=True)
    keys = write("keys.json", jwks(KEY))
    pem = write("key.pem", KEY.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())
    nginx = write("nginx.conf", f"""
load_module {MODULE};
daemon off; worker_processes 1; pid {FOLDER}/nginx.pid; error_log {FOLDER}/nginx.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_requests 1000000000;
    client_body_temp_path {FOLDER}/t1; proxy_temp_path {FOLDER}/t2; fastcgi_temp_path {FOLDER}/t3;
    uwsgi_temp_path {FOLDER}/t4; scgi_temp_path {FOLDER}/t5;
    claimgate_cache 4096;
    server {{
        listen 127.0.0.1:{PORT};
        claimgate_issuer {ISSUER}; claimgate_audience {AUDIENCE}; claimgate_keys_file {keys};
        location /open {{ empty_gif; }}
        location /api {{ claimgate on; empty_gif; }}
    }}
}}
""")
    route = lambda path: {"match": {"prefix": path}, "direct_response": {"status": 200}}
    envoy = write("envoy.json", json.dumps({
        "static_resources": {"listeners": [{
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": PORT + 1}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network."
                             "http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "in",
                    "route_config": {"virtual_hosts": [{
                        "name": "all", "domains": ["*"],
                        "routes": [route("/open"), route("/api")]}]},
                    "http_filters": [{
                        "name": "envoy.filters.http.jwt_authn",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn."
                                     "v3.JwtAuthentication",
                            "providers": {"issuer": {
                                "issuer": ISSUER, "audiences": [AUDIENCE],
                                "local_jwks": {"filename": keys}, "jwt_cache_config": {"jwt_cache_size": 4096}}},
                            "rules": [{"match": {"prefix": "/api"},
                                       "requires": {"provider_name": "issuer"}}]}},
                        {"name": "envoy.filters.http.router", "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3."
                                     "Router"}}]}}]}]}]}}))
    haproxy = write("haproxy.cfg", f"""
global
    nbthread 1
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
frontend api
    bind 127.0.0.1:{PORT + 2}
    http-request return status 200 if {{ path_beg /open }}
    http-request deny deny_status 401 unless {{ req.hdr(authorization) -m found }}
    http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
    http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')
    http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')
    http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
    http-request deny deny_status 401 unless {{ var(txn.iss) -m str {ISSUER} }}
    http-request deny deny_status 401 unless {{ var(txn.aud) -m str {AUDIENCE} }}
    http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_verify(txn.alg,"{pem}") 1 }}
    http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
    http-request return status 200
""")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": open(f"{FOLDER}/peers.log", "w")}
    processes = dict(zip(NAMES, [
        subprocess.Popen(["/usr/sbin/nginx", "-c", nginx], **quiet),
        subprocess.Popen([ENVOY, "-c", envoy, "--concurrency", "1", "--log-level", "error",
                          "--disable-hot-restart", "--base-id", str(PORT)], **quiet),
        subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", haproxy], **quiet)]))
    for name, port in PORTS.items():
        for attempt in range(300):
            try:
                ask(port, "/open")
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"{name} does not answer: " + open(f"{FOLDER}/peers.log").read()[-1500:])
    return processes


def ask(port, path, headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def requests():
    """What a request is, what an API that follows the RFCs does with it, path, headers."""
    now = int(time.time())
    sign = KEY.sign
    bearer = lambda token: [("Authorization", f"Bearer {token}")]
    good = sign(claims())
    text = json.dumps(claims())
    header, payload, signature = good.split(".")
    unsigned = b64(b'{"alg":"none","typ":"at+jwt"}')
    tokens = [
        ("a good token", True, good),
        ("`typ: JWT`", True, sign(claims(), typ="JWT")),
        ("without `typ`", True, sign(claims(), typ=None)),
        ("`aud` an array with the API", True, sign(claims(aud=[AUDIENCE, "other"]))),
        ("`exp` with a fraction", True, sign(claims(exp=now + 600.5))),
        ("without `kid`", True, sign(claims(), kid=None)),
        ("expired an hour ago", False, sign(claims(exp=now - 3600))),
        ("no `exp`", False, sign(claims(exp=None))),
        ("`exp` as a string", False, sign(claims(exp=str(now + 3600)))),
        ("`exp: null`", False, sign(json.dumps(claims()).replace(f'"exp": {now + 3600}',
                                                                 '"exp": null'))),
        ("`exp: true`", False, sign(claims(exp=True))),
        ("`exp` of 10^30", False, sign(claims(exp=10 ** 30))),
        ("`exp` twice", False, sign(text[:-1] + f',"exp":{now + 7200}}}')),
        ("`nbf` in an hour", False, sign(claims(nbf=now + 3600))),
        ("`nbf` as a string", False, sign(claims(nbf="tomorrow"))),
        ("`iat` in an hour", False, sign(claims(iat=now + 3600))),
        ("no `sub`", False, sign(claims(sub=None))),
        ("`sub` a number", False, sign(claims(sub=7))),
        ("`sub` twice", False, sign(text[:-1] + ',"sub":"root"}')),
        ("no `iss`", False, sign(claims(iss=None))),
        ("`iss` without its slash", False, sign(claims(iss=ISSUER[:-1]))),
        ("no `aud`", False, sign(claims(aud=None))),
        ("`aud` of another API", False, sign(claims(aud="https://other.example/"))),
        ("`aud` with an additional trailing slash", False, sign(claims(aud=AUDIENCE + "/"))),
        ("`crit: [\"exp\"]`", False, sign(claims(), crit=["exp"])),
        ("`b64: false`", False, sign(claims(), b64=False)),
        ("`zip: DEF`", False, sign(claims(), zip="DEF")),
        ("an ID token (`nonce`, `at_hash`)", False, sign(claims(nonce="n", at_hash="x"), typ="JWT")),
        ("`typ: logout+jwt`", False, sign(claims(), typ="logout+jwt")),
        ("`typ: dpop+jwt`", False, sign(claims(), typ="dpop+jwt")),
        ("bound to a key (`cnf`), as a bearer token", False, sign(claims(cnf={"jkt": "x"}))),
        ("an unknown `kid`", False, sign(claims(), kid="z")),
        ("`alg: none`, no signature", False, f"{unsigned}.{payload}."),
        ("`alg: none`, with a signature", False, f"{unsigned}.{payload}.{signature}"),
        ("`alg: HS256`, the public key as secret", False, sign(claims(), alg="HS256")),
        ("another key's signature", False, OTHER.sign(claims(), kid="a")),
        ("padding after the signature", False, good + "=="),
        ("a member `\"\\u0065xp\"` beside `exp`", False,
         sign(text[:-1] + f',"\\u0065xp":{now + 7200}}}')),
    ]
    yield from ((what, is_good, "/api", bearer(token)) for what, is_good, token in tokens)
    yield "`?access_token=`", False, f"/api?access_token={good}", []
    yield "two `Authorization` headers", False, "/api", bearer(good) + bearer("other")


def accept():
    rows = list(requests())
    print(f"| request ({len(rows)}) | should | " + " | ".join(NAMES) + " |")
    print("| --- | --- |" + " --- |" * len(NAMES))
    wrong = dict.fromkeys(NAMES, 0)
    for what, is_good, path, headers in rows:
        cells = []
        for name in NAMES:
            try:
                status = ask(PORTS[name], path, headers)
            except (OSError, http.client.HTTPException):
                status = 0
            is_accepted = status == 200
            wrong[name] += is_accepted != is_good
            mark = "accepted" if is_accepted else f"{status}"
            cells.append(mark if is_accepted == is_good else f"**{mark}**")
        print(f"| {what} | {'accept' if is_good else 'refuse'} | " + " | ".join(cells) + " |")
    print("| wrong verdicts | | " + " | ".join(str(wrong[name]) for name in NAMES) + " |")
    if wrong[NAMES[0]]:
        sys.exit("the module is wrong about a request")


LUA = """
local tokens, sent, host = {}, 0, os.getenv("TARGET_HOST")
for line in io.lines(os.getenv("TOKENS")) do
   local headers = {Host = host, Authorization = "Bearer " .. line}
   tokens[#tokens + 1] = wrk.format("GET", os.getenv("TARGET"), headers)
end
function request()
   sent = sent + 1
   return tokens[sent % #tokens + 1]
end
function done(summary)
   local errors = summary.errors
   io.write(string.format("requests %d errors %d\\n", summary.requests,
      errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def processes_of(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [pid] + [int(child) for child in found.stdout.split()]


def cpu_seconds(pid):
    """User and system time of a process and its children."""
    total = 0
    for process in processes_of(pid):
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def load(name, process, path, tokens):
    """Microseconds of CPU for each request."""
    script = write("load.lua", LUA)
    before = cpu_seconds(process.pid)
    host = f"127.0.0.1:{PORTS[name]}"
    result = subprocess.run(
        ["taskset", "-c", str(PROCESSORS[-1]), "wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", script, f"http://{host}"],
        env={**os.environ, "TOKENS": tokens, "TARGET": path, "TARGET_HOST": host}, capture_output=True, text=True)
    used = cpu_seconds(process.pid) - before
    line = next(line for line in result.stdout.splitlines() if line.startswith("requests "))
    _, count, _, errors = line.split()
    if int(errors):
        sys.exit(f"{name}: {errors} errors in {count} requests")
    return used / int(count) * 1e6


def cpu(processes):
    files = {}
    all_tokens = [KEY.sign(claims(jti=f"t-{number}")) for number in range(20_000)]
    for count in [1, 2_000, 20_000]:
        files[count] = write(f"tokens-{count}", "\n".join(all_tokens[:count]) + "\n")
    cells = {"without": ("/open", files[2_000])} | {count: ("/api", file) for count, file in files.items()}
    used = {name: {cell: [] for cell in cells} for name in NAMES}
    for _ in range(ROUNDS):
        for name in NAMES:
            for cell, (path, tokens) in cells.items():
                used[name][cell].append(load(name, processes[name], path, tokens))
    print(f"a token of {len(all_tokens[0])} characters; µs of CPU for a request without, and added")
    print("| | without | one token | 2,000 in turn | 20,000 in turn |")
    print("| --- | --- | --- | --- | --- |")
    added = {}
    for name, runs in used.items():
        base, *others = [statistics.median(runs[cell]) for cell in cells]
        added[name] = [value - base for value in others]
        print(f"| {name} | {base:.1f} | " + " | ".join(f"{value:.1f}" for value in added[name]) + " |")
    print(f"what is added, over that of {NAMES[-1]}")
    for name, values in added.items():
        ratios = [f"{value / unit:.2f}" for value, unit in zip(values, added[NAMES[-1]])]
        print(f"| {name} | " + " | ".join(ratios) + " |")


def main():
    # The programs inherit it.
    if MODE == "cpu":
        os.sched_setaffinity(0, PROCESSORS[:1])
    processes = start()
    try:
        accept() if MODE == "accept" else cpu(processes)
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()


main()
