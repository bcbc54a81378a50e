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


# The header fields of all proxies for the original request, to load the gateway without a proxy.
FIELDS = ";".join(
    f"X-{prefix}-Method=GET;X-{prefix}-URI={PATIENT}" for prefix in ["Original", "Forwarded"]
)


def wrk(port, tokens, seconds, target=PATIENT, fields=""):
    """Returns the number of requests, all of which must pass."""
    environment = {**os.environ, "TOKENS": tokens, "FIELDS": fields, "TARGET": target}
    script = os.path.join(HERE, "load.lua")
    command = ["wrk", "-t", "1", "-c", "16", "-d", f"{seconds}s", "-s", script]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
        env=environment, check=True, capture_output=True, text=True,
    )
    figures = re.search(r"load requests=(\d+) seconds=\S+ wrong=(\d+)", result.stdout)
    same(f"requests that failed at {port}", 0, int(figures[2]))
    return int(figures[1])


def alone(name, gateway, tokens, seconds):
    """Sends subrequests to the gateway like its proxy."""
    target = f"/check{PATIENT}" if name == "envoy" else "/check"
    return wrk(gateway.port, tokens, seconds, target, FIELDS)


def measure(what, gateway, proxy, tokens):
    """Returns the CPU time of the gateway per request in microseconds, and the share of cache hits."""
    hits = lambda: metric(gateway, "claimgate_cache_hits_total")
    misses = lambda: metric(gateway, "claimgate_cache_misses_total")
    figures = lambda: (gateway.cpu(), proxy.cpu() if proxy else 0, hits(), misses())
    before = figures()
    if proxy:
        requests = wrk(proxy.port, tokens, SECONDS)
    else:
        requests = alone("nginx", gateway, tokens, SECONDS)
    own, other, hit, missed = (now - then for now, then in zip(figures(), before))
    share = hit / max(1, hit + missed)
    own, other = own / requests * 1e6, other / requests * 1e6
    beside = f", proxy {other:.1f}" if proxy else ""
    print(f"   {what}: gateway {own:.1f} µs{beside} ({requests} requests, {share:.1%} hits)", flush=True)
    return own, share


def run(fronts, gateways, issuer_port, application):
    print(f"== loads of {SECONDS} s: CPU time per request", flush=True)
    one = write("one.tokens", token() + "\n")
    many = write("many.tokens", token("--count", str(TOKENS)) + "\n")
    length = len(token())
    # A fixed response of nginx, for comparison on a busy machine.
    before = application.cpu()
    requests = wrk(application.port, one, SECONDS)
    reference = (application.cpu() - before) / requests * 1e6
    print(f"   for comparison, `return 200` of nginx: {reference:.1f} µs", flush=True)
    gateway = gateways["nginx"]
    hit, _ = measure("alone, one token", gateway, None, one)
    for name in gateways:
        alone(name, gateways[name], many, 1)
    turns, share = measure(f"alone, {TOKENS} tokens in turn", gateway, None, many)
    same(f"{TOKENS} tokens in turn are found", 1.0, share)
    # The cache has a capacity of a few hundred tokens.
    small = servers.gateway("nginx", issuer_port, "gateway_small", "cache_bytes = 1000000")
    while b": ready" not in ask(small.admin, "GET", "/health").body:
        pass
    miss, found = measure("alone, a miss", small, None, many)
    same("tokens in turn are not found in a small cache", True, found < 0.05)
    name = 'claimgate_validation_seconds_{}{{found="none"}}'
    total, count = (metric(small, name.format(what)) for what in ["sum", "count"])
    validation = total / max(1, count) * 1e6
    print(f"   a validation with its signature, by the clock: {validation:.1f} µs")
    small.stop()
    for name, proxy in fronts.items():
        measure(f"behind {name}, one token", gateways[name], proxy, one)
        _, share = measure(f"behind {name}, {TOKENS} in turn", gateways[name], proxy, many)
        same(f"{name}: {TOKENS} tokens in turn are found", 1.0, share)
    return (
        f"tokens of {length} characters: {hit:.1f} µs on a hit, {turns:.1f} with {TOKENS} in turn "
        f"(all hits), {miss:.1f} on a miss (validation {validation:.1f}), nginx alone {reference:.1f}"
    )
