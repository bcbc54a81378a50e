#!/usr/bin/env python3
"""nginx with the module: verdicts, variables, rotation, outages, reload under load.

    nginx.py MODULE.so FOLDER
"""

import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from tokens import AUDIENCE, ISSUER, Key, claims, jwks

MODULE, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
NGINX = "/usr/sbin/nginx"
PORT = int(os.environ.get("PORT", "18431"))
checks, failures = 0, []

KEYS = {name: Key(name) for name in "abc"}


def expect(what, expected, found):
    global checks
    checks += 1
    if expected != found:
        failures.append(what)
        print(f"{what}: expected {expected!r}, found {found!r}", file=sys.stderr)


# ---- The issuer ----

class Issuer:
    """Serves a key set, or whatever it is told to."""

    def __init__(self):
        self.status, self.text, self.fetches, self.seen, self.delay = 200, "", 0, [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.fetches += 1
                outer.seen.append((self.command, dict(self.headers)))
                time.sleep(outer.delay)
                body = outer.text.encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except BrokenPipeError:
                    pass  # The fetch was cut off.

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT + 1), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


# ---- nginx ----

CONF = """
load_module {module};
daemon off; worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    subrequest_output_buffer_size 64k;
    {http}
    server {{
        listen 127.0.0.1:{port};
        claimgate_issuer {issuer};
        claimgate_audience {audience};
        {server}
    }}
}}
"""

ECHO = ('return 200 "$claimgate_subject|$claimgate_client|$claimgate_scope|$tenant|$level|$admin"')

SERVER = """
claimgate_keys_file {folder}/keys.json;
claimgate_claim $tenant tenant;
claimgate_claim $level level;
claimgate_claim $admin admin;
claimgate_realm "the \\"api\\"";
location = /echo {{ internal; return 200 "$http_x_subject|$http_x_role"; }}
location /open {{ return 200 "open|$claimgate_subject|$tenant"; }}
location /api {{ claimgate on; try_files /none @echo; }}
location /scoped {{ claimgate on; claimgate_scope_all read:items delete:items; try_files /none @echo; }}
location /any {{ claimgate on; claimgate_scope_any delete:items read:items; try_files /none @echo; }}
location /admin {{ claimgate on; claimgate_require_claim realm_access roles contains admin;
    claimgate_require_claim level equals_integer 7; claimgate_require_claim admin equals_boolean true;
    claimgate_require_claim tenant one_of x "t\u00e4nant"; try_files /none @echo; }}
location /root {{ claimgate on; claimgate_require_claim realm_access roles contains root;
    try_files /none @echo; }}
location /cookie {{ claimgate on; claimgate_cookie session; try_files /none @echo; }}
location /clients {{ claimgate on; claimgate_clients client-2; try_files /none @echo; }}
location /strict {{ claimgate on; claimgate_profile rfc9068; claimgate_leeway 0; try_files /none @echo; }}
location /ps256 {{ claimgate on; claimgate_algorithms PS256; claimgate_keys_file {folder}/ps256.json;
    try_files /none @echo; }}
location /upstream {{ claimgate on; proxy_pass http://127.0.0.1:{backend};
    proxy_set_header X-Subject $claimgate_subject; proxy_set_header X-Role $tenant; }}
location /level {{ claimgate on; claimgate_claim $tenant level;
    proxy_pass http://127.0.0.1:{backend}; proxy_set_header X-Echo $tenant; }}
location /either {{ satisfy any; deny all; claimgate on; try_files /none @echo; }}
location @echo {{ return 200 named; }}
"""


def server_block():
    """The locations answer in the content phase, after access was granted."""
    block = SERVER.format(folder=FOLDER, backend=PORT + 2)
    # `return` belongs to the rewrite phase, before access: an upstream echoes instead.
    echo = (f"proxy_pass http://127.0.0.1:{PORT + 2}; proxy_pass_request_headers off;"
            'proxy_set_header X-Echo "$claimgate_subject|$claimgate_client|$claimgate_scope|'
            '$tenant|$level|$admin";')
    return block.replace("try_files /none @echo;", echo)


class Backend:
    """Answers with the headers that it got."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                text = self.headers.get("X-Echo") or json.dumps(
                    {name: self.headers.get_all(name) for name in ["X-Subject", "X-Role"]})
                body = text.encode("latin-1")
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT + 2), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Nginx:
    def __init__(self, server, http="", workers=1):
        self.write(server, http, workers)
        self.process = subprocess.Popen([NGINX, "-c", f"{FOLDER}/nginx.conf"],
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                get("/open")
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("nginx does not answer: " + open(f"{FOLDER}/error.log").read()[-2000:])

    @staticmethod
    def write(server, http="", workers=1):
        with open(f"{FOLDER}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(CONF.format(module=MODULE, folder=FOLDER, port=PORT, issuer=ISSUER,
                                   audience=AUDIENCE, server=server, http=http, workers=workers))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        expect("nginx ends without a fault", 0, self.process.wait(10))


def write(name, text):
    """Replaces a file at once, as a program that renews keys should."""
    with open(f"{FOLDER}/{name}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(f"{FOLDER}/{name}.new", f"{FOLDER}/{name}")


def get(path, token=None, headers=()):
    """Status, challenge and body of a request. `headers` are pairs."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    try:
        connection.putrequest("GET", path)
        if token is not None:
            connection.putheader("Authorization", f"Bearer {token}")
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        return response.status, response.getheader("WWW-Authenticate") or "", body
    finally:
        connection.close()


# ---- Tests ----

def test_configuration():
    """nginx -t names each mistake."""
    good = f"claimgate_keys_file {FOLDER}/keys.json;"
    for mistake, named in [
        ("location / { claimgate on; }", "one of claimgate_keys_file and claimgate_keys_location"),
        (f"{good} location / {{ claimgate on; claimgate_issuer ''; }}", ""),
        (f"{good} location / {{ claimgate on; claimgate_leeway 601; }}", "value must be between 0 and 600"),
        (f"{good} location / {{ claimgate on; claimgate_algorithms none; }}",
         'unknown algorithm "none"'),
        (f"{good} location / {{ claimgate on; claimgate_algorithms HS256; }}",
         'unknown algorithm "HS256"'),
        (f"{good} location / {{ claimgate on; claimgate_scope_all 'a b'; }}", "scope_token"),
        (f"{good} location / {{ claimgate on; claimgate_audience ''; }}", "empty_identifier"),
        (f"{good} location / {{ claimgate on; claimgate_clients {AUDIENCE}; }}",
         "audience_is_client_id"),
        (f"{good} location / {{ claimgate on; claimgate_require_claim a is b; }}",
         "has no comparison"),
        (f"{good} location / {{ claimgate on; claimgate_require_claim a equals; }}",
         "wrong number of values"),
        (f"{good} location / {{ claimgate on; claimgate_require_claim a equals b c; }}",
         "wrong number of values"),
        (f"{good} location / {{ claimgate on; claimgate_require_claim a b c d e equals f; }}",
         "claim_path"),
        (f"{good} location / {{ claimgate on; claimgate_require_claim a equals_integer 1x; }}",
         "not an integer"),
        (f"{good} location / {{ claimgate on; claimgate_require_claim a equals_boolean yes; }}",
         "neither true nor false"),
        (f"{good} location / {{ claimgate on; claimgate_profile other; }}", "invalid value"),
        (f"{good} claimgate_claim tenant tenant;", "has no $variable"),
        (f"{good} claimgate_claim $a a b c d e;", "more than four names"),
        (f"{good} location / {{ set $claimgate_subject mallory; }}",
         'the duplicate "claimgate_subject" variable'),
        (f"claimgate_keys_file {FOLDER}/none.json; location / {{ claimgate on; }}",
         "no usable keys"),
        (f"claimgate_keys_file {FOLDER}/nginx.conf; location / {{ claimgate on; }}",
         "no usable keys"),
        (f"{good} claimgate_keys_location /k; location / {{ claimgate on; }}", "one of"),
        (f"{good} location / {{ claimgate on; claimgate_issuer https://other.example/; }}", "one of"),
    ]:
        Nginx.write(mistake)
        result = subprocess.run([NGINX, "-t", "-c", f"{FOLDER}/nginx.conf"], capture_output=True,
                                text=True)
        is_named = result.returncode == 1 and named in result.stderr
        if named == "":
            continue
        expect(f"nginx -t: {mistake}", (1, True), (result.returncode, is_named))
        if not is_named:
            print(result.stderr, file=sys.stderr)


GOOD = "user|1|client-1|read:items write:items|t\u00e4nant|7|true"


def test_verdicts():
    a, now = KEYS["a"], int(time.time())
    good = a.sign(claims())
    expect("a good token", (200, "", GOOD), get("/api", good))
    expect("again, from the cache", (200, "", GOOD), get("/api", good))
    expect("no token", (401, 'Bearer realm="the ?api?"'), get("/api")[:2])
    expect("an open location", (200, "", "open||"), get("/open"))
    refused = {
        "expired": a.sign(claims(exp=now - 61)), "no exp": a.sign(claims(exp=None)),
        "exp as a string": a.sign(claims(exp=str(now + 60))),
        "not yet valid": a.sign(claims(nbf=now + 120)), "iat to come": a.sign(claims(iat=now + 3600)),
        "no sub": a.sign(claims(sub=None)), "another issuer": a.sign(claims(iss=ISSUER[:-1])),
        "another audience": a.sign(claims(aud="other")), "no audience": a.sign(claims(aud=None)),
        "crit": a.sign(claims(), crit=["exp"]), "an ID token": a.sign(claims(nonce="n"), typ="JWT"),
        "a logout token": a.sign(claims(), typ="logout+jwt"),
        "bound to a key": a.sign(claims(cnf={"jkt": "x"})),
        "an unknown kid": a.sign(claims(), kid="z"), "another key": KEYS["b"].sign(claims(), kid="a"),
        "alg none": a.sign(claims(), alg="none"), "alg HS256": a.sign(claims(), alg="HS256"),
        "garbage": "garbage", "a changed signature": good[:-6] + "AAAAAA",
        "a member twice": a.sign(json.dumps(claims())[:-1] + ',"sub":"x"}'),
    }
    for what, token in refused.items():
        status, challenge, body = get("/api", token)
        expect(what, (401, True, False), (status, 'error="invalid_token"' in challenge,
                                          "user" in body))
    for path, expected in [("/any", 200), ("/admin", 200), ("/strict", 200), ("/scoped", 403),
                           ("/root", 403), ("/clients", 401), ("/ps256", 401), ("/either", 200)]:
        expect(path, expected, get(path, good)[0])
    challenge = get("/scoped", good)[1]
    expect("the scope that is needed", True, 'error="insufficient_scope"' in challenge and
           'scope="read:items delete:items"' in challenge)
    expect("satisfy any without a token", 401, get("/either")[0])
    expect("a second Authorization header", 400,
           get("/api", good, [("Authorization", f"Bearer {good}")])[0])
    expect("two tokens in one header", 400, get("/api", f"{good}, Bearer {good}")[0])
    expect("another scheme", (401, 'Bearer realm="the ?api?"'),
           get("/api", None, [("Authorization", "Basic YTpi")])[:2])
    expect("?access_token=", 401, get(f"/api?access_token={good}")[0])
    expect("a cookie where none is configured", 401,
           get("/api", None, [("Cookie", f"session={good}")])[0])
    expect("a cookie", (200, "", GOOD), get("/cookie", None, [("Cookie", f"a=b; session={good}")]))
    for cookie in ["session=x", "session =x", "session=x;"]:
        for pair in [f"session={good}; {cookie}", f"{cookie}; session={good}"]:
            expect(f"two cookies: {cookie}", 400, get("/cookie", None, [("Cookie", pair)])[0])
        expect("two Cookie headers", 400, get("/cookie", None, [
            ("Cookie", f"session={good}"), ("Cookie", cookie)])[0])
    expect("a cookie of another name", 401, get("/cookie", None, [("Cookie", f"Session={good}")])[0])
    expect("spaces around a cookie", 200, get("/cookie", None, [("Cookie", f"a=b ;session={good} ; c")])[0])
    expect("cookie and header", 400, get("/cookie", good, [("Cookie", f"session={good}")])[0])
    expect("rfc9068 asks for at+jwt", 401, get("/strict", a.sign(claims(), typ="JWT"))[0])
    # Whatever a client or a token says, variables are those of the token.
    spoof = [("X-Subject", "mallory"), ("X-Role", "root"), ("claimgate_subject", "mallory")]
    expect("spoofed headers", {"X-Subject": ["user|1"], "X-Role": ["t\u00c3\u00a4nant"]},
           json.loads(get("/upstream", good, spoof)[2]))
    expect("a claim that would end a header", {"X-Subject": ["user|1"], "X-Role": None},
           json.loads(get("/upstream", a.sign(claims(tenant="x\r\nX-Role: root")), spoof)[2]))
    expect("a subject that would end a header", None,
           json.loads(get("/upstream", a.sign(claims(sub="x\r\nX-Role: root")))[2])["X-Subject"])
    for subject in [" user|1", "user|1 "]:
        expect("a subject that a recipient would trim", None,
               json.loads(get("/upstream", a.sign(claims(sub=subject)))[2])["X-Subject"])
    expect("a variable that an inner block sets to another claim", "7",
           get("/level", good)[2])
    expect("a token without claims", "user|1|||||",
           get("/api", a.sign(claims(client_id=None, scope=None, tenant=None, level=None,
                                     admin=None)))[2])
    expect("a claim of another type", "user|1|client-1|read:items write:items||7|true",
           get("/api", a.sign(claims(tenant=["a"])))[2])


def wait_until(what, expected, ask, seconds=5):
    end = time.monotonic() + seconds
    while (found := ask()) != expected and time.monotonic() < end:
        time.sleep(0.1)
    expect(what, expected, found)


def test_file():
    a, b = (KEYS[name].sign(claims()) for name in "ab")
    expect("before the rotation", (200, 401), (get("/api", a)[0], get("/api", b)[0]))
    write("keys.json", jwks(KEYS["a"], KEYS["b"]))
    wait_until("both keys", (200, 200), lambda: (get("/api", a)[0], get("/api", b)[0]))
    write("keys.json", jwks(KEYS["b"]))
    wait_until("a withdrawn key", (401, 200), lambda: (get("/api", a)[0], get("/api", b)[0]))
    write("keys.json", "<html>")
    time.sleep(1.5)
    expect("a file that is no key set", (401, 200), (get("/api", a)[0], get("/api", b)[0]))
    os.remove(f"{FOLDER}/keys.json")
    time.sleep(1.5)
    expect("a file that is gone", (401, 200), (get("/api", a)[0], get("/api", b)[0]))
    write("keys.json", '{"keys":[]}')
    wait_until("all keys are withdrawn", 401, lambda: get("/api", b)[0])
    write("keys.json", jwks(KEYS["a"]))
    wait_until("keys again", 200, lambda: get("/api", a)[0])
    time.sleep(1.5)  # Each worker looks at the file for itself, once a second.


def test_stale_file():
    """A file that is gone or invalid is not trusted for ever; a pipe does not block."""
    a, path = KEYS["a"].sign(claims()), f"{FOLDER}/keys.json"
    with Nginx(f"""claimgate_keys_file {path}; claimgate_keys_max_stale 2;
location /open {{ return 200 open; }}
location /api {{ claimgate on; proxy_pass http://127.0.0.1:{PORT + 2}; }}"""):
        for what, replace in [("gone", lambda: None), ("a pipe", lambda: os.mkfifo(path)),
                              ("no key set", lambda: write("keys.json", "<html>"))]:
            time.sleep(2.5)
            expect("a file that does not change", 200, get("/api", a)[0])
            os.remove(path)
            replace()
            time.sleep(1.1)
            expect(f"a file that is {what}, at first", 200, get("/api", a)[0])
            wait_until(f"a file that is {what}", 503, lambda: get("/api", a)[0])
            write("keys.json", jwks(KEYS["a"]))
            wait_until("a file again", 200, lambda: get("/api", a)[0])


LOCATION = f"""
claimgate_keys_location /jwks;
location = /jwks {{ internal; proxy_pass http://127.0.0.1:{PORT + 1}/jwks; proxy_read_timeout 2s; }}
location /open {{ return 200 open; }}
location /api {{ claimgate on; proxy_pass http://127.0.0.1:{PORT + 2};
    proxy_set_header X-Echo $claimgate_subject; }}
"""


def test_location(issuer):
    a, b, c = (KEYS[name].sign(claims()) for name in "abc")
    issuer.status, issuer.text = 500, "out of order"
    with Nginx(LOCATION):
        expect("no keys yet", 503, get("/api", a)[0])
        for _ in range(20):
            expect("still none", 503, get("/api", a)[0])
        # The first retries come after 1, 2, 4 ... seconds.
        expect("and no fetch for each request", True, issuer.fetches <= 2)
        issuer.status, issuer.text = 200, jwks(KEYS["a"])
    issuer.fetches = 0
    with Nginx(LOCATION):
        issuer.delay = 0.3
        results = []
        threads = [threading.Thread(target=lambda: results.append(get("/api", a)[0]))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        issuer.delay = 0
        expect("requests that come before the keys", [200] * 8, results)
        expect("fetches do not carry the request", [],
               [name for _, headers in issuer.seen for name in headers
                if name.lower() in ["authorization", "cookie"]])
        before = issuer.fetches
        for _ in range(50):
            get("/api", KEYS["c"].sign(claims(), kid="unknown"))
        expect("a flood of unknown kids causes no fetch within the cool-down", before,
               issuer.fetches)
        issuer.status = 500
        expect("an outage changes nothing", (200, 401), (get("/api", a)[0], get("/api", b)[0]))


def test_servers(issuer):
    """Two servers with locations of one name, from which they get different keys."""
    a, b = (KEYS[name].sign(claims()) for name in "ab")
    issuer.status, issuer.text = 200, jwks(KEYS["a"])
    other = f"""}} server {{ listen 127.0.0.1:{PORT + 3}; claimgate_issuer {ISSUER}; claimgate_audience {AUDIENCE};
claimgate_keys_location /jwks; location = /jwks {{ internal; return 200 '{jwks(KEYS["b"])}'; }}
location /api {{ claimgate on; proxy_pass http://127.0.0.1:{PORT + 2}; }}"""
    with Nginx(LOCATION + other):
        connection = http.client.HTTPConnection("127.0.0.1", PORT + 3, timeout=10)
        connection.request("GET", "/api", headers={"Authorization": f"Bearer {b}"})
        expect("the other server", 200, connection.getresponse().status)
        connection.close()
        expect("the keys of another server", (200, 401), (get("/api", a)[0], get("/api", b)[0]))


def test_rotation(issuer):
    """The keys of a location are replaced, one is withdrawn, all are."""
    a, b = (KEYS[name].sign(claims()) for name in "ab")
    issuer.status, issuer.text = 200, jwks(KEYS["a"])
    with Nginx(LOCATION + "claimgate_keys_cool_down 1;"):
        expect("the first key", (200, 401), (get("/api", a)[0], get("/api", b)[0]))
        issuer.text = jwks(KEYS["a"], KEYS["b"])
        time.sleep(2.1)
        expect("a new key, at its first request", (200, 200), (get("/api", b)[0], get("/api", a)[0]))
    issuer.text = jwks(KEYS["a"])
    with Nginx(LOCATION + "claimgate_keys_cool_down 1; claimgate_keys_max_age 1;"):
        expect("before the withdrawal", 200, get("/api", a)[0])
        issuer.text = jwks(KEYS["b"])
        wait_until("after it", (401, 200), lambda: (get("/api", a)[0], get("/api", b)[0]))
        issuer.text = "<html>"
        time.sleep(2.1)
        expect("what is no key set changes nothing", (401, 200),
               (get("/api", a)[0], get("/api", b)[0]))
        issuer.text = '{"keys":[]}'
        wait_until("no key is left", (503, 503), lambda: (get("/api", a)[0], get("/api", b)[0]), 9)
        issuer.text = jwks(KEYS["b"])
        wait_until("and one is again", (401, 200), lambda: (get("/api", a)[0], get("/api", b)[0]))


def test_disconnects(issuer):
    """Clients that disconnect during a fetch do not delay the next one by the cool-down."""
    a, b = (KEYS[name].sign(claims()) for name in "ab")
    issuer.status, issuer.text, before = 200, jwks(KEYS["a"]), issuer.fetches
    with Nginx(LOCATION + "claimgate_keys_cool_down 5;"):
        expect("before the rotation", 200, get("/api", a)[0])
        issuer.text, issuer.delay = jwks(KEYS["b"]), 1
        time.sleep(5.1)
        client = socket.create_connection(("127.0.0.1", PORT))
        client.sendall(f"GET /api HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {b}\r\n\r\n".encode())
        wait_until("a fetch", 2, lambda: issuer.fetches - before)
        client.close()
        issuer.delay = 0
        # Earlier than after the cool-down.
        wait_until("after the rotation", (401, 200), lambda: (get("/api", a)[0], get("/api", b)[0]), 3)


def test_stale(issuer):
    a = KEYS["a"].sign(claims())
    issuer.status, issuer.text = 200, jwks(KEYS["a"])
    with Nginx(LOCATION + "claimgate_keys_max_stale 3; claimgate_keys_cool_down 1;"):
        expect("fresh keys", 200, get("/api", a)[0])
        issuer.status = 500
        wait_until("keys that are too old open nothing", 503, lambda: get("/api", a)[0])
        issuer.status = 200
        wait_until("keys again after an outage", 200, lambda: get("/api", a)[0], 10)


def test_reload(nginx):
    """Valid and invalid tokens all the while nginx is reloaded."""
    good, bad = KEYS["a"].sign(claims()), KEYS["b"].sign(claims(), kid="a")
    wrong, counts, stop = [], [0, 0], threading.Event()

    def load(token, expected, index):
        while not stop.is_set():
            try:
                status = get("/api", token)[0]
            except (OSError, http.client.HTTPException):
                continue  # a connection that a closing worker accepted no more
            counts[index] += 1
            if status != expected:
                wrong.append((expected, status))

    threads = [threading.Thread(target=load, args=args)
               for args in [(good, 200, 0), (bad, 401, 1)] * 2]
    for thread in threads:
        thread.start()
    for _ in range(5):
        time.sleep(0.6)
        nginx.process.send_signal(signal.SIGHUP)
    time.sleep(0.6)
    stop.set()
    for thread in threads:
        thread.join()
    expect("verdicts while nginx is reloaded", [], wrong[:5])
    expect("there were requests", True, min(counts) > 100)
    return sum(counts)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    open(f"{FOLDER}/error.log", "w").close()
    write("keys.json", jwks(KEYS["a"]))
    rsa_pss = json.loads(jwks(KEYS["a"]))
    rsa_pss["keys"][0]["alg"] = "PS256"
    write("ps256.json", json.dumps(rsa_pss))
    issuer = Issuer()
    Backend()
    test_configuration()
    with Nginx(server_block(), workers=2) as nginx:
        test_verdicts()
        test_file()
        requests = test_reload(nginx)
    test_stale_file()
    test_location(issuer)
    test_servers(issuer)
    test_rotation(issuer)
    test_disconnects(issuer)
    test_stale(issuer)
    log = open(f"{FOLDER}/error.log", encoding="utf-8", errors="replace").read()
    expect("no worker died", False, "exited on signal" in log)
    print(f"nginx: {checks} checks, {len(failures)} failed; {requests} requests during 5 reloads")
    sys.exit(1 if failures else 0)


main()
