"""The responses to requests through a proxy."""

from client import ask, bearer, same
from servers import token

GET = "/patients/17?full=yes"
SEEN = {
    "subject": "[auth0|123456]",
    "scope": "[openid profile read:patients]",
    "issuer": "[https://my-domain.auth0.com/]",
    "client": "[my_client_id]",
    "roles": "[]",
}


def seen(reply):
    return {name: reply.header(f"X-Seen-{name}") for name in SEEN}


def invalid(description):
    error = 'Bearer realm="health", error="invalid_token"'
    return f'{error}, error_description="{description}"'


def verdicts(proxy, port):
    good = token()
    reply = ask(port, "GET", GET, bearer(good))
    same(f"{proxy}: a good token", (200, SEEN), (reply.status, seen(reply)))
    same(f"{proxy}: the application sees no token", "[]", reply.header("X-Seen-Authorization"))
    same(f"{proxy}: nor a proof", "[]", reply.header("X-Seen-DPoP"))
    writes = token("--scope", "read:patients write:patients")
    for method, target, token_, status in [
        ("HEAD", GET, good, 200),
        ("GET", "/profile", good, 200),
        ("GET", "/news", good, 200),
        ("POST", GET, good, 403),
        ("DELETE", GET, good, 403),
        ("POST", GET, writes, 200),
        ("OPTIONS", "/patients", writes, 403),
        ("GET", "/admin", good, 403),
        ("GET", "/elsewhere", good, 403),
        ("GET", "/", good, 403),
        ("GET", "/patients", token("--scope", "openid profile"), 403),
    ]:
        body = b"x" * 100 if method == "POST" else b""
        found = ask(port, method, target, bearer(token_), body).status
        same(f"{proxy}: {method} {target}", status, found)
    bare = 'Bearer realm="health"'
    other = "https://example.com/bank-api"
    tampered = good[:-6] + "AAAAAA"
    for what, headers, challenge in [
        ("no token", [], bare),
        ("another scheme", [("Authorization", "Basic YTpi")], bare),
        ("expired", bearer(token("--expires-in", "-120")), invalid("The token has expired")),
        (
            "another audience",
            bearer(token("--audience", other)),
            invalid("The token is for another audience"),
        ),
        ("an ID token", bearer(token("--kind", "id")), invalid("The token is not an access token")),
        (
            "an unknown issuer",
            bearer(token("--issuer", "https://evil.example/")),
            invalid("The issuer is not trusted"),
        ),
        (
            "another issuer's token for this API",
            bearer(token("--issuer", "https://other.example/")),
            invalid("The token is for another audience"),
        ),
        ("tampered", bearer(tampered), None),
        ("opaque", bearer("opaque"), None),
    ]:
        reply = ask(port, "GET", GET, headers)
        same(f"{proxy}: {what}", 401, reply.status)
        found = reply.header("WWW-Authenticate")
        if challenge is None:
            same(f"{proxy}: {what}", True, found.startswith(f'{bare}, error="invalid_token"'))
        else:
            same(f"{proxy}: {what}", challenge, found)
    recent = bearer(token("--expires-in", "-30"))
    same(f"{proxy}: within the leeway", 200, ask(port, "GET", GET, recent).status)
    lacking = ask(port, "GET", GET, bearer(token("--scope", "openid")))
    scope = 'error="insufficient_scope"' in lacking.header("WWW-Authenticate")
    same(f"{proxy}: a lacking scope", (403, True), (lacking.status, scope))
    twice = ask(port, "GET", GET, bearer(good) + bearer(good)).status
    same(f"{proxy}: two tokens", True, twice in (400, 401))
    preflight = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")]
    reply = ask(port, "OPTIONS", GET, preflight)
    same(f"{proxy}: a preflight", (200, "[]"), (reply.status, reply.header("X-Seen-Subject")))


def spoofed(proxy, port):
    """Sends header fields that only the gateway or the proxy may set."""
    names = ["Subject", "Scope", "Issuer", "Client", "Roles"]
    fields = [(f"X-Auth-{name}", "admin") for name in names]
    fields += [(f"x-auth-{name.lower()}", "admin") for name in names]
    fields += [(f"{start}{name}", "admin") for start in ["X_Auth_", "X-Auth_", "x_auth-"] for name in names]
    good = bearer(token())
    reply = ask(port, "GET", GET, good + fields)
    same(f"{proxy}: spoofed fields with a token", (200, SEEN), (reply.status, seen(reply)))
    nothing = {name: "[]" for name in SEEN}
    reply = ask(port, "GET", "/news", fields)
    same(f"{proxy}: spoofed fields without", (200, nothing), (reply.status, seen(reply)))
    for name, value in [
        ("X-Original-URI", "/news"),
        ("X-Original-Method", "GET"),
        ("X-Original-URL", "/news"),
        ("X-Rewrite-URL", "/news"),
        ("X-Forwarded-Uri", "/news"),
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Prefix", "/news"),
        ("X-HTTP-Method-Override", "GET"),
        ("X-Envoy-Original-Path", "/news"),
        (":path", "/news"),
    ]:
        found = ask(port, "DELETE", "/patients/17", good + [(name, value)]).status
        same(f"{proxy}: {name} from a client", True, found in (400, 403))
        found = ask(port, "GET", "/admin", [(name, value)]).status
        same(f"{proxy}: {name} from a client", True, found in (400, 401, 403))
    hidden = ask(port, "GET", "/admin", good + [("Connection", "authorization, x-auth-subject")])
    same(f"{proxy}: Connection from a client", True, hidden.status in (400, 401, 403))
    hidden = [("Connection", "x-auth-subject, x-auth-scope")]
    reply = ask(port, "GET", GET, good + hidden)
    same(f"{proxy}: fields that a client removes", (200, SEEN), (reply.status, seen(reply)))
    # A proxy behind this one would remove them.
    same(f"{proxy}: Connection of a client", False, "x-auth" in reply.header("X-Seen-Connection").lower())
    # After an upgrade to HTTP/2, the application would accept requests that the gateway does not check.
    upgrade = [("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")]
    upgrade += [("Connection", "Upgrade, HTTP2-Settings")]
    reply = ask(port, "GET", GET, good + upgrade)
    same(f"{proxy}: an upgrade", (200, "[]"), (reply.status, reply.header("X-Seen-Upgrade")))
    overrides = ["X-Original-URL", "X-Rewrite-URL"]
    overrides += ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
    for name in overrides:
        reply = ask(port, "GET", GET, good + [(name, "DELETE")])
        found = (reply.status, reply.header("X-Seen-Override"))
        same(f"{proxy}: {name} for the application", (200, "[]"), found)


def token_field(proxy, port, passed):
    """Sends tokens in X-Access-Token, from which the gateway reads them."""
    good, forged = token(), token("--key", "b")
    field = lambda value: [("X-Access-Token", value)]
    for target, headers, status, seen_token in [
        (GET, field(good), 200, good if passed else ""),
        # The application receives no token that was not validated.
        (GET, field(good) + bearer(forged), 200, good if passed else ""),
        (GET, bearer(good), 401, None),
        (GET, field(forged), 401, None),
        ("/news", field(forged), 401, None),
        ("/news", field(""), 200, ""),
        ("/news", bearer(forged), 200, ""),
        ("/news", [], 200, ""),
    ]:
        reply = ask(port, "GET", target, headers)
        names = ["X-Seen-Access-Token", "X-Seen-Authorization"]
        found = (reply.status, *map(reply.header, names))
        expected = (status, "", "") if status != 200 else (200, f"[{seen_token}]", "[]")
        same(f"{proxy}: a token in a field, {target} {[name for name, _ in headers]}", expected, found)


def token_cookie(proxy, port):
    """Sends tokens in the cookie `access_token`, from which the gateway reads them."""
    good, forged = token(), token("--key", "b")
    cookie = lambda value: [("Cookie", value)]
    for target, headers, status, seen_cookie in [
        (GET, cookie(f"a=b; access_token={good}; c=d"), 200, "a=b; c=d"),
        (GET, cookie(f"access_token={good}") + bearer(forged), 200, ""),
        (GET, bearer(good), 401, None),
        (GET, cookie(f"access_token={forged}"), 401, None),
        ("/news", cookie(f"a=b; access_token={forged}"), 401, None),
        ("/news", cookie("a=b"), 200, "a=b"),
        ("/news", cookie("a=b; access_token=") + bearer(forged), 200, "a=b"),
        ("/news", [], 200, ""),
    ]:
        reply = ask(port, "GET", target, headers)
        found = (reply.status, reply.header("X-Seen-Cookie"), reply.header("X-Seen-Authorization"))
        expected = (status, "", "") if status != 200 else (200, f"[{seen_cookie}]", "[]")
        same(f"{proxy}: a token in a cookie, {target} {[name for name, _ in headers]}", expected, found)


def broken_script(what, port):
    """Checks that no request passes if the script of HAProxy has an error."""
    good, spoofed = bearer(token()), [("X-Auth-Subject", "admin")]
    for target, headers, statuses in [
        (GET, good, [503]),
        ("/profile", good, [503]),
        ("/news", good, [503]),
        ("/news", [], [503]),
        # The script may deny these before the error.
        (GET, [], [401, 503]),
        ("/admin", good, [403, 503]),
        ("/admin", [], [401, 503]),
    ]:
        reply = ask(port, "GET", target, headers + spoofed)
        found = (reply.status in statuses, reply.header("X-Seen-Path"))
        same(f"haproxy with {what}: {target}: {reply.status}", (True, ""), found)


# Manipulations of the path /admin, for a token without its scope.
TRICKS = [
    "/admin", "/admin/", "/admin?", "/admin?x=/profile", "/admin/users", "/%61dmin", "/admi%6e",
    "/profile/../admin", "/profile/..%2fadmin", "/profile/%2e%2e/admin", "/profile/%2e%2e%2fadmin",
    "/profile/.%2e/admin", "/profile/%2E./admin", "/profile/./../admin", "/profile/x/../../admin",
    "/profile/..;/admin", "/profile/..;x=y/admin", "/profile;/../admin", "/profile/;/../admin",
    "/profile/%3b/../admin", "/profile/..%3b/admin", "//admin", "///admin", "/profile//../admin",
    "/profile/..//admin", "/./admin", "/.//admin", "/%2fadmin", "/%2Fadmin", "/profile%2f..%2fadmin",
    "/profile/%252e%252e/admin", "/profile/%252e%252e%252fadmin", "/profile/%25%32%65%25%32%65/admin",
    "/profile/..%252fadmin", "/profile/..%c0%afadmin", "/profile/%c0%ae%c0%ae/admin",
    "/profile/%e0%80%ae%e0%80%ae/admin", "/profile/%uff0e%uff0e/admin",
    "/profile/%ef%bc%8e%ef%bc%8e/admin", "/profile/%e2%80%a5/admin", "/profile\\..\\admin",
    "/profile/..\\admin", "/profile/..%5cadmin", "/profile%5c..%5cadmin", "/\\admin", "/%5cadmin",
    "/profile/%00/../admin", "/profile%00/../admin", "/admin%00", "/admin%0a", "/admin%0d%0a",
    "/profile/%0a/../admin", "/profile/%09/../admin", "/admin%20", "/admin.", "/admin;", "/admin;x=y",
    "/admin%3b", "/Admin", "/ADMIN", "/admin.json", "/admin/.", "/admin/..;/admin", "/profile#/../admin",
    "/profile/#/../../admin", "/admin#/profile", "/profile?/../admin#", "http://x/admin",
    "http://x/profile/../admin", "https://x/admin", "admin", "*", "profile/../admin", "/profile/../../admin",
    "/profile/..", "/profile/../", "/news/../admin", "/news/%2e%2e/admin", "/news/..%2fadmin",
    b"/profile/\xff/../admin", b"/profile/\xc0\xae\xc0\xae/admin", b"/profile/\x00/../admin",
    b"/profile/\x0b/../admin", b"/profile\t/../admin",
]

# Paths that gateway and application both interpret as /profile.
HARMLESS = ["/profile", "/profile/", "/profile/x.y/...", "/profile/%C3%A4", "/p%72ofile?x=/../admin"]


def tricks(proxy, port):
    """Checks that no manipulation reaches /admin, and returns their number."""
    good = bearer(token())
    for target in TRICKS:
        for headers in [good, []]:
            reply = ask(port, "GET", target, headers)
            found = reply.header("X-Seen-Path").lower()
            if reply.status == 200:
                # Envoy resolves dot segments before the subrequest, which may result in an open path.
                is_open = found.startswith(("/profile", "/news"))
                same(f"{proxy}: {target} leads to {found}", True, is_open)
            else:
                same(f"{proxy}: {target}", (True, ""), (300 <= reply.status < 500 or reply.status == 0, found))
    for target in HARMLESS:
        same(f"{proxy}: {target}", 200, ask(port, "GET", target, good).status)
    return len(TRICKS)
