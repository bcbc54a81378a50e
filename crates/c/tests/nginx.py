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
        self.is_chunked = False
        self.texts = {}  # by Host, of an issuer that has several tenants
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.fetches += 1
                outer.seen.append((self.command, dict(self.headers)))
                time.sleep(outer.delay)
                body = outer.texts.get(self.headers.get("Host"), outer.text).encode()
                self.send_response(outer.status)
                if outer.is_chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
                else:
                    self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # The fetch was cut off.

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT + 1), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


# ---- nginx ----

CONF = """
load_module {module};
daemon off; worker_processes {workers}; worker_shutdown_timeout 1s; pid {folder}/nginx.pid; error_log {folder}/error.log info;
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
location /named {{ claimgate on; try_files /none @named; }}
location @named {{ proxy_pass http://127.0.0.1:{backend}; proxy_set_header X-Subject $claimgate_subject; }}
location /renamed {{ claimgate on; try_files /none @renamed; }}
location @renamed {{ claimgate on; proxy_pass http://127.0.0.1:{backend};
    proxy_set_header X-Subject $claimgate_subject; }}
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
    """Answers with the headers that it got, for /slow after two seconds."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                time.sleep(2 if self.path == "/slow" else 0)
                names = ["X-Subject", "X-Role", *filter(None, self.headers.get_all("X-Names", []))]
                text = self.headers.get("X-Echo") or json.dumps(
                    {name: self.headers.get_all(name) for name in names})
                body = text.encode("latin-1")
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # The client of nginx disconnected.

            do_POST = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT + 2), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Nginx:
    def __init__(self, server, http="", workers=1):
        self.write(server, http, workers)
        # The C library overwrites memory that is freed.
        self.process = subprocess.Popen([NGINX, "-c", f"{FOLDER}/nginx.conf"],
                                        stderr=subprocess.DEVNULL,
                                        env={**os.environ, "MALLOC_PERTURB_": "165"})
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


def get(path, token=None, headers=(), host="localhost", body=None):
    """Status, challenge and body of a request. `headers` are pairs."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=15)
    try:
        connection.putrequest("GET" if body is None else "POST", path, skip_host=True)
        connection.putheader("Host", host)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        if token is not None:
            connection.putheader("Authorization", f"Bearer {token}")
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
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
        # Keys without an issuer are not inherited: they would be those of both.
        (f"""}} server {{ listen 127.0.0.1:{PORT + 3}; {good} claimgate_audience a;
location /a {{ claimgate on; claimgate_issuer https://a.example/; }}
location /b {{ claimgate on; claimgate_issuer https://b.example/; }}""", "one of"),
        (f"{good} claimgate_keys_max_stale 0;", "value must be equal to or greater than 1"),
        (f"{good} claimgate_claim $tenant tenant; claimgate_claim $level level; "
         "claimgate_claim $Tenant sub;", "has a variable that this block sets twice"),
        *((f"location / {{ claimgate on; claimgate_keys_location {location}; }}",
           "is not the path of a location") for location in ["@k", "keys", "'/jwks?a=b'", "/k#a"]),
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
    for path, header, status in [("/api", ("Authorization", b"Bearer \xff"), 400),
                                 ("/api", ("Authorization", b"Basic \xff"), 400),
                                 ("/cookie", ("Cookie", b"session=\xff"), 401)]:
        expect(f"bytes that are not UTF-8: {header}", status, get(path, None, [header])[0])
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
    # An internal redirect clears the variables; the header of the client is replaced even so.
    for path, subject in [("/named", None), ("/renamed", ["user|1"])]:
        expect(f"the variables after an internal redirect: {path}", subject,
               json.loads(get(path, good, spoof)[2])["X-Subject"])
    expect("a claim that is too long", None,
           json.loads(get("/upstream", a.sign(claims(tenant="x" * 4097)))[2])["X-Role"])
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
    wait_until("all keys are withdrawn", 503, lambda: get("/api", b)[0])
    expect("no token, no keys", 401, get("/api")[0])
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
        expect("they share a fetch", 1, issuer.fetches)
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


HEADERS = "".join(f"proxy_set_header {name} {value};\n" for name, value in [
    ("Host", "$host"), ("Authorization", "$http_authorization"), ("X-Req", "$http_x_req"),
    ("X-Forwarded-For", "$proxy_add_x_forwarded_for"), ("X-Cookie", "$http_cookie$cookie_a"),
    ("X-Uri", "$request_uri"), ("X-Args", "$args$is_args$arg_a$query_string"),
    ("X-Line", "$request"), ("X-Body", "$request_body"), ("X-Length", "$content_length"),
    ("X-Type", "$content_type"), ("X-Referer", "$http_referer$http_user_agent"), ("X-Set", "$set"),
    ("X-Captured", "$captured"), ("X-Subject", "$claimgate_subject"), ("X-User", "$remote_user"),
    ("X-Names", "X-Forwarded-For")])


def test_fetch_contains_nothing(issuer):
    """A fetch contains nothing of the request, even if its location inherits headers with
    variables, and the request loses nothing to the fetch."""
    good, forged = KEYS["a"].sign(claims()), KEYS["b"].sign(claims())
    own = [("X-Req", "from-client"), ("X-Forwarded-For", "from-client"), ("Cookie", "a=from-client"),
           ("Referer", "from-client"), ("User-Agent", "from-client"),
           ("Content-Type", "from-client")]
    ask = {"headers": own, "host": "from-client.example", "body": b"from-client"}
    issuer.status, issuer.text, issuer.seen = 200, jwks(KEYS["a"]), []
    issuer.texts = {"from-client.example": jwks(KEYS["b"])}
    settings = "claimgate_keys_max_age 1; claimgate_keys_cool_down 1; set $set $http_authorization;" \
        "if ($http_x_req ~ (?<captured>.*)) { set $other 1; }"
    for keys in ["none", "old ones"]:
        with Nginx(LOCATION + settings, HEADERS):
            if keys != "none":
                expect("before the fetch", 200, get("/api?access_token=from-client", good, **ask)[0])
                time.sleep(2.1)
            expect(f"a key set chosen by Host, with {keys}", 401, get("/api", forged, **ask)[0])
    issuer.texts = {}
    # A background fetch, which begins before the token is validated.
    with Nginx(LOCATION.replace("proxy_set_header X-Echo $claimgate_subject;", "") + settings, HEADERS):
        for what in ["that waited for a fetch", "that did not"]:
            expect(f"a header of a request {what}", ["from-client, 127.0.0.1"], json.loads(
                get("/api?access_token=from-client", good, **ask)[2])["X-Forwarded-For"])
            time.sleep(2.1)
        expect("a background fetch", 200, get("/api", good, **ask)[0])
        wait_until("all fetches", True, lambda: len(issuer.seen) >= 6)
    expect("what fetches contain of a request", [],
           [(name, value) for _, headers in issuer.seen for name, value in headers.items()
            if any(part in value for part in ["from-client", good, forged, "user|1", "/api"])])
    expect("the URI of a fetch", {"/jwks"}, {headers.get("X-Uri") for _, headers in issuer.seen})
    cache = f"proxy_cache_path {FOLDER}/cache keys_zone=cache:1m; proxy_cache cache; " \
        "proxy_cache_valid 200 1m; proxy_cache_key $request_uri;"
    path = f"/api?{time.time()}"
    with Nginx(LOCATION, cache):
        expect("the response to a fetch is not cached as that to the request", (200, "", "user|1"),
               get(path, good))


def test_failing_fetches(issuer):
    """Fetches that take long and fail: one at a time, and fewer after failures."""
    a = KEYS["a"].sign(claims())
    issuer.status, issuer.delay, issuer.fetches = 500, 1, 0
    with Nginx(LOCATION):
        expect("without a token, no key is needed", [401] * 20, [get("/api")[0] for _ in range(20)])
        expect("and none is fetched", 0, issuer.fetches)
        results, threads = [], []
        for _ in range(40):
            threads.append(threading.Thread(target=lambda: results.append(get("/api", a)[0])))
            threads[-1].start()
            time.sleep(0.1)
        for thread in threads:
            thread.join()
        expect("no keys", [503] * 40, results)
        # At 0, 2 and perhaps 5 seconds.
        expect("the fetches of four seconds", True, 1 <= issuer.fetches <= 3)
    issuer.delay, issuer.status = 0, 200


def test_sizes(issuer):
    """A key set that is too large counts as a failure and closes no connection."""
    a, b = (KEYS[name].sign(claims()) for name in "ab")
    small, issuer.status = jwks(KEYS["a"]), 200
    for issuer.is_chunked in [False, True]:
        what = "chunked" if issuer.is_chunked else "with a length"
        for size, status in [(65536, 200), (65537, 503), (300_000, 503)]:
            issuer.text, issuer.fetches = small.ljust(size), 0
            with Nginx(LOCATION):
                expect(f"a key set of {size} bytes, {what}", [status] * 5,
                       [get("/api", a)[0] for _ in range(5)])
                expect(f"its fetches, {what}", True, 1 <= issuer.fetches <= 2)
        issuer.text = small
        with Nginx(LOCATION + "claimgate_keys_max_age 1; claimgate_keys_cool_down 3;"):
            expect("before it grows", 200, get("/api", a)[0])
            time.sleep(3.1)
            issuer.text, issuer.fetches = jwks(KEYS["b"]).ljust(70_000), 0
            results = []
            for _ in range(20):
                results.append((get("/api", a)[0], get("/api", b)[0]))
                time.sleep(0.1)
            expect(f"the current keys remain in use, {what}", [(200, 401)] * 20, results)
            expect(f"and the next fetch comes later, {what}", 1, issuer.fetches)
    issuer.is_chunked = False


def test_deadline(issuer):
    """A fetch that does not end holds requests for ten seconds."""
    a = KEYS["a"].sign(claims())
    issuer.status, issuer.text, issuer.delay = 200, jwks(KEYS["a"]), 12
    with Nginx(LOCATION.replace("proxy_read_timeout 2s", "proxy_read_timeout 30s")):
        start = time.monotonic()
        client = http.client.HTTPConnection("127.0.0.1", PORT)
        for what in ["a fetch that takes long", "the next request on its connection"]:
            client.request("GET", "/api", headers={"Authorization": f"Bearer {a}"})
            response = client.getresponse()
            response.read()
            expect(what, 503, response.status)
            expect("its seconds", True, 9 < time.monotonic() - start < 11)
        issuer.delay = 0
        wait_until("the next one", 200, lambda: get("/api", a)[0])
        time.sleep(2)
        expect("after the end of the first one", 200, get("/api", a)[0])
    # nginx does not pass on what exceeds its buffers.
    issuer.text = jwks(KEYS["a"]).ljust(60_000)
    with Nginx(LOCATION, http="proxy_max_temp_file_size 0; proxy_buffers 2 4k; proxy_busy_buffers_size 4k;"):
        expect("a fetch without buffers", 503, get("/api", a)[0])
    issuer.text = jwks(KEYS["a"])


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


def connect(path, token):
    client = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    return client


def status_of(client):
    return int(client.recv(4096).split()[1])


def test_disconnects(issuer):
    """Requests that end during a fetch neither delay the next one by the cool-down nor disturb
    those that wait for it."""
    a, b = (KEYS[name].sign(claims()) for name in "ab")
    issuer.status, issuer.text, before = 200, jwks(KEYS["a"]), issuer.fetches
    with Nginx(LOCATION + "claimgate_keys_cool_down 5;"):
        issuer.delay = 1
        clients = [connect("/api", a) for _ in range(6)]
        wait_until("a fetch", 1, lambda: issuer.fetches - before)
        for gone in [0, 3, 5]:
            clients[gone].close()
        expect("the other requests", [200] * 3, [status_of(clients[i]) for i in [1, 2, 4]])
        expect("their fetches", 1, issuer.fetches - before)
        issuer.text = jwks(KEYS["b"])
        time.sleep(5.1)
        client = connect("/api", b)
        wait_until("a fetch", 2, lambda: issuer.fetches - before)
        client.close()
        issuer.delay = 0
        # Earlier than after the cool-down.
        wait_until("after the rotation", (401, 200), lambda: (get("/api", a)[0], get("/api", b)[0]), 3)
    # A fetch in the background ends with its request.
    issuer.text, slow = jwks(KEYS["a"]), LOCATION.replace("/api", "/")
    with Nginx(slow + "claimgate_keys_max_age 1; claimgate_keys_max_stale 4; claimgate_keys_cool_down 3;"):
        expect("before the disconnect", 200, get("/api", a)[0])
        time.sleep(3.1)
        issuer.delay, before = 2, issuer.fetches
        client = connect("/slow", a)
        wait_until("a fetch in the background", 1, lambda: issuer.fetches - before)
        time.sleep(1)
        others = [connect("/api", a) for _ in range(5)]  # The keys are too old by now.
        time.sleep(0.2)
        others[1].close()
        expect("their fetches", 1, issuer.fetches - before)
        issuer.delay = 0
        client.close()
        # One of them begins the next fetch at once.
        expect("requests whose fetch was cut off", [200] * 4,
               [status_of(others[i]) for i in [0, 2, 3, 4]])
        expect("their fetches then", 2, issuer.fetches - before)
    with Nginx(LOCATION) as nginx:
        issuer.delay, before = 4, issuer.fetches
        clients = [connect("/api", a) for _ in range(4)]
        wait_until("a fetch before the shutdown", 1, lambda: issuer.fetches - before)
        time.sleep(0.2)
        nginx.process.send_signal(signal.SIGQUIT)
        expect("a shutdown while requests wait", 0, nginx.process.wait(4))
        for client in clients:
            client.close()
    issuer.delay = 0


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
    with Nginx(server_block()):
        test_verdicts()
        # With several workers, one that receives no request between two changes sees only the last.
        test_file()
    with Nginx(server_block(), workers=2) as nginx:
        requests = test_reload(nginx)
    test_stale_file()
    test_location(issuer)
    test_fetch_contains_nothing(issuer)
    test_failing_fetches(issuer)
    test_sizes(issuer)
    test_deadline(issuer)
    test_servers(issuer)
    test_rotation(issuer)
    test_disconnects(issuer)
    test_stale(issuer)
    log = open(f"{FOLDER}/error.log", encoding="utf-8", errors="replace").read()
    expect("no worker died", False, "exited on signal" in log)
    print(f"nginx: {checks} checks, {len(failures)} failed; {requests} requests during 5 reloads")
    sys.exit(1 if failures else 0)


main()
