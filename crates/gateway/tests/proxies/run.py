"""The checks and the loads behind each proxy; `run.sh` starts this."""

import os
import socket
import sys
import time

import checks
import client
import load
import servers
from client import ask, bearer, same
from servers import COOL_DOWN, PROXIES, Server, free_port, publish, token


def until(what, seconds, condition):
    """Waits until a condition is met, and returns the seconds that it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise SystemExit(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - started


def ready(gateway):
    keys = lambda: ask(gateway.admin, "GET", "/health").body.count(b": ready") == 2
    until("keys of both issuers", 15, keys)


def rotation(fronts):
    """Checks that a new key is accepted, and that the old one is rejected."""
    old, new = token("--key", "a"), token("--key", "b")
    get = lambda front, token: ask(front.port, "GET", "/patients/17", bearer(token)).status
    longest = 0
    for name, front in fronts.items():
        same(f"{name}: an unknown key", 401, get(front, new))
    publish("b")
    for name, front in fronts.items():
        took = until(f"{name}: a new key", COOL_DOWN + 3, lambda: get(front, new) == 200)
        longest = max(longest, took)
        same(f"{name}: a withdrawn key", 401, get(front, old))
    return longest


def outage(fronts, issuer):
    """Checks that known keys are still accepted while the issuer is unavailable."""
    issuer.stop()
    time.sleep(COOL_DOWN + 0.5)
    known, unknown = token("--key", "b"), token("--key", "a")
    for name, front in fronts.items():
        found = ask(front.port, "GET", "/patients/17", bearer(unknown)).status
        same(f"{name}: an unknown key", 401, found)
        found = ask(front.port, "GET", "/patients/17", bearer(known)).status
        same(f"{name}: a known key", 200, found)


def half_open(fronts, gateways):
    """Checks requests beside 300 connections with incomplete requests."""
    known = token("--key", "b")
    for name, gateway in gateways.items():
        connections = []
        for index in range(300):
            connection = socket.create_connection(("127.0.0.1", gateway.port))
            if index % 2:
                connection.sendall(b"GET /check HTTP/1.1\r\nX-Original-")
            connections.append(connection)
        for _ in range(20):
            found = ask(fronts[name].port, "GET", "/patients/17", bearer(known)).status
            same(f"{name}: beside half-open connections", 200, found)
        for connection in connections:
            connection.close()


def without_gateway(fronts, gateways):
    """Checks that proxies deny all requests while the gateway is unavailable."""
    known = token("--key", "b")
    for name, gateway in gateways.items():
        same(f"{name}: SIGTERM ends the gateway", 0, gateway.stop())
        with open(gateway.log, encoding="utf-8") as log:
            same(f"{name}: tokens in the log", 0, log.read().count("eyJ"))
        for target in ["/patients/17", "/news"]:
            found = ask(fronts[name].port, "GET", target, bearer(known)).status
            same(f"{name}: without the gateway", True, found >= 400)


def token_sources(application, issuer_port):
    """Checks the lines of the configurations for tokens that are not in Authorization."""
    for name in PROXIES:
        for what, word, extra, check in [
            ("field", "X-Access-Token", 'token_header = "X-Access-Token"', checks.token_field),
            (
                "field_passed",
                "X-Access-Token",
                'token_header = "X-Access-Token"\npass_token = true',
                checks.token_field,
            ),
            ("cookie", "Cookie", 'token_cookie = "access_token"', checks.token_cookie),
        ]:
            process = f"{name}_{what}"
            gateway = servers.gateway(name, issuer_port, f"gateway_{process}", extra)
            edit = servers.with_token_in(word)
            front = servers.proxy(name, gateway.port, application.port, process, edit)
            ready(gateway)
            if what == "cookie":
                check(name, front.port)
            else:
                check(name, front.port, what == "field_passed")
            front.stop()
            gateway.stop()


def broken_scripts(gateway, application):
    """Checks that HAProxy denies all requests after an error in the script."""
    for number, (what, old, new) in enumerate([
        ("an error at its start", 'local target = ', 'error("no")\n   local target = '),
        ("no HTTP client", "core.httpclient()", "core.missing()"),
        ("an error after a response", "txn.http:req_del_header(name", "txn.http:missing(name"),
    ]):
        edit = lambda text: text.replace(old, new)
        process = f"haproxy_broken_{number}"
        front = servers.proxy("haproxy", gateway.port, application.port, process, edit)
        with open(servers.path(f"{process}.lua"), encoding="utf-8") as script:
            same(f"the script has {what}", True, new in script.read())
        checks.broken_script(what, front.port)
        front.stop()


def main():
    publish("a")
    issuer_port, application_port = free_port(), free_port()
    issuer = servers.issuer(issuer_port)
    application = servers.application(application_port)
    gateways = {name: servers.gateway(name, issuer_port) for name in PROXIES}
    fronts = {
        name: servers.proxy(name, gateway.port, application_port)
        for name, gateway in gateways.items()
    }
    for gateway in gateways.values():
        ready(gateway)
    for name, front in fronts.items():
        checks.verdicts(name, front.port)
        checks.spoofed(name, front.port)
        refused = checks.tricks(name, front.port)
        print(f"== {name}: verdicts, spoofed fields, {refused} path tricks", flush=True)
    token_sources(application, issuer_port)
    broken_scripts(gateways["haproxy"], application)
    print("== tokens in a field and in a cookie, errors in the script of HAProxy", flush=True)
    figures = load.run(fronts, gateways, issuer_port, application)
    took = rotation(fronts)
    print(f"== key rotation: a new key after at most {took:.1f} s", flush=True)
    outage(fronts, issuer)
    half_open(fronts, gateways)
    without_gateway(fronts, gateways)
    print("== outage, half-open connections, no gateway")
    passed = os.environ["PASSED"]
    print(f"gateway: {passed} tests, {client.checks} checks behind {len(PROXIES)} proxies; {figures}")


try:
    main()
except SystemExit as error:
    if error.code:
        print(error.code, file=sys.stderr)
        for server in Server.running:
            print(f"-- {server.name}\n{server.tail()}", file=sys.stderr)
    sys.exit(1)
finally:
    for server in list(Server.running):
        server.stop()
