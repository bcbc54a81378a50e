"""The CPU time per request, of the gateway and of the proxy."""

import os
import re
import subprocess

import servers
from client import ask, same
from servers import HERE, token, write

SECONDS = os.environ.get("LOAD_SECONDS", "3")
TOKENS = 2_000
PATIENT = "/patients/17"


def metric(gateway, name):
    text = ask(gateway.admin, "GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)", text, re.M)
    return float(found[1]) if found else 0.0


def wrk(port, tokens, direct, seconds):
    """Returns the number of requests. All have to pass."""
    fields = f"X-Original-Method=GET;X-Original-URI={PATIENT}" if direct else ""
    environment = {
        **os.environ,
        "TOKENS": tokens,
        "FIELDS": fields,
        "TARGET": "/check" if direct else PATIENT,
    }
    script = os.path.join(HERE, "load.lua")
    command = ["wrk", "-t", "1", "-c", "16", "-d", f"{seconds}s", "-s", script]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
        env=environment, check=True, capture_output=True, text=True,
    )
    figures = re.search(r"load requests=(\d+) seconds=\S+ wrong=(\d+)", result.stdout)
    same(f"requests that failed at {port}", 0, int(figures[2]))
    return int(figures[1])


def measure(what, gateway, proxy, tokens):
    """Returns the microseconds of gateway and proxy, and the share of hits."""
    direct = proxy is None
    port = gateway.port if direct else proxy.port
    hits = lambda: metric(gateway, "claimgate_cache_hits_total")
    misses = lambda: metric(gateway, "claimgate_cache_misses_total")
    before = (gateway.cpu(), 0 if direct else proxy.cpu(), hits(), misses())
    requests = wrk(port, tokens, direct, SECONDS)
    after = (gateway.cpu(), 0 if direct else proxy.cpu(), hits(), misses())
    own, other, hit, missed = (now - then for now, then in zip(after, before))
    share = hit / max(1, hit + missed)
    own, other = own / requests * 1e6, other / requests * 1e6
    beside = "" if direct else f", proxy {other:.1f}"
    print(f"   {what}: gateway {own:.1f} µs{beside} ({requests} requests, {share:.1%} hits)", flush=True)
    return own, share


def run(fronts, gateways, issuer_port):
    print(f"== loads of {SECONDS} s: CPU time per request", flush=True)
    one = write("one.tokens", token() + "\n")
    many = write("many.tokens", token("--count", str(TOKENS)) + "\n")
    length = len(token())
    gateway = gateways["nginx"]
    hit, _ = measure("alone, one token", gateway, None, one)
    wrk(gateway.port, many, True, 2)
    turns, share = measure(f"alone, {TOKENS} tokens in turn", gateway, None, many)
    same("2,000 tokens in turn are found", 1.0, share)
    # Its cache has room for a few hundred tokens.
    small = servers.gateway("nginx", issuer_port, "gateway_small", "cache_bytes = 1000000")
    while ask(small.admin, "GET", "/health").status != 200:
        pass
    miss, missed = measure("alone, a miss", small, None, many)
    name = 'claimgate_validation_seconds_{}{{found="none"}}'
    validation = metric(small, name.format("sum")) / max(1, metric(small, name.format("count"))) * 1e6
    print(f"   a miss: {1 - missed:.1%} of them, validation with its signature {validation:.1f} µs")
    small.stop()
    for front, proxy in fronts.items():
        measure(f"behind {front}, one token", gateways[front], proxy, one)
        wrk(proxy.port, many, False, 1)
        measure(f"behind {front}, {TOKENS} in turn", gateways[front], proxy, many)
    return (
        f"tokens of {length} characters: {hit:.1f} µs on a hit, {turns:.1f} with {TOKENS} in turn "
        f"(100 % hits), {miss:.1f} on a miss (validation {validation:.1f})"
    )
