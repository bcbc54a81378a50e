"""The CPU time per request, of the gateway and of the proxy."""

import os
import re
import subprocess

import servers
from client import ask, same
from servers import HERE, token, write

SECONDS = os.environ.get("LOAD_SECONDS", "1")
ROUNDS = 3
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


class Subject:
    """A server under load, with the sums of its rounds."""

    def __init__(self, what, server, tokens, proxy=None):
        self.what, self.server, self.tokens, self.proxy = what, server, tokens, proxy
        self.user = self.kernel = self.beside = self.requests = self.hits = self.misses = 0

    def figures(self):
        beside = sum(self.proxy.cpu()) if self.proxy else 0
        hits, misses = 0, 0
        if hasattr(self.server, "admin"):
            hits = metric(self.server, "claimgate_cache_hits_total")
            misses = metric(self.server, "claimgate_cache_misses_total")
        return (*self.server.cpu(), beside, hits, misses)

    def load(self, seconds):
        """Sends requests through the proxy, or subrequests like a proxy."""
        if self.proxy:
            return wrk(self.proxy.port, self.tokens, seconds)
        target = f"/check{PATIENT}" if self.server.name == "gateway_envoy" else "/check"
        return wrk(self.server.port, self.tokens, seconds, target, FIELDS)

    def round(self):
        before = self.figures()
        self.requests += self.load(SECONDS)
        difference = [now - then for now, then in zip(self.figures(), before)]
        self.user += difference[0]
        self.kernel += difference[1]
        self.beside += difference[2]
        self.hits += difference[3]
        self.misses += difference[4]

    def cpu(self):
        """Returns the CPU time of the server per request, in microseconds."""
        return (self.user + self.kernel) / self.requests * 1e6

    def kernel_share(self):
        return self.kernel / self.requests * 1e6

    def share(self):
        """Returns the share of cache hits."""
        return self.hits / max(1, self.hits + self.misses)

    def report(self):
        beside = f", proxy {self.beside / self.requests * 1e6:.1f}" if self.proxy else ""
        hits = f", {self.share():.1%} hits" if self.hits + self.misses else ""
        print(
            f"   {self.what}: {self.cpu():.1f} µs, of which kernel {self.kernel_share():.1f}{beside} "
            f"({self.requests} requests{hits})",
            flush=True,
        )


def run(fronts, gateways, issuer_port, application):
    print(f"== loads of {ROUNDS} times {SECONDS} s: CPU time per request", flush=True)
    one = write("one.tokens", token() + "\n")
    many = write("many.tokens", token("--count", str(TOKENS)) + "\n")
    length = len(token())
    # The cache has a capacity of a few hundred tokens.
    small = servers.gateway("nginx", issuer_port, "gateway_small", "cache_bytes = 1000000")
    while b": ready" not in ask(small.admin, "GET", "/health").body:
        pass
    gateway, minimum = gateways["nginx"], servers.minimum()
    front = servers.proxy("nginx", minimum.port, application.port, "nginx_minimum")
    hit = Subject("gateway, one token", gateway, one)
    turns = Subject(f"gateway, {TOKENS} tokens in turn", gateway, many)
    miss = Subject("gateway, a miss", small, many)
    least = Subject("hyper without any work", minimum, one)
    hit_behind = Subject("gateway behind nginx, one token", gateway, one, fronts["nginx"])
    least_behind = Subject("hyper without any work behind nginx", minimum, one, front)
    fixed = Subject("`return 200` of nginx", application, one)
    for name in gateways:
        Subject(name, gateways[name], many).load(1)
    subjects = [hit, least, turns, miss, hit_behind, least_behind, fixed]
    rsa = []
    # In turn, so that other work on the machine affects all of them.
    for _ in range(ROUNDS):
        rsa.append(servers.verification(5_000) * 1e6)
        for subject in subjects:
            subject.round()
    for subject in subjects:
        subject.report()
    rsa = sum(rsa) / len(rsa)
    print(f"   a verification of RS256: {rsa:.1f} µs", flush=True)
    same(f"{TOKENS} tokens in turn are found", 1.0, turns.share())
    same("tokens in turn are not found in a small cache", True, miss.share() < 0.05)
    for server in [small, front, minimum]:
        server.stop()
    for name, proxy in fronts.items():
        for what, tokens in [("one token", one), (f"{TOKENS} in turn", many)]:
            subject = Subject(f"gateway behind {name}, {what}", gateways[name], tokens, proxy)
            subject.round()
            subject.report()
            same(f"{subject.what}: all are found", 1.0, subject.share())
    wanted = lambda subject, least: (
        f"{subject.cpu():.1f} µs (kernel {subject.kernel_share():.1f}; hyper without any work "
        f"{least.cpu():.1f}, kernel {least.kernel_share():.1f})"
    )
    return (
        f"CPU time of the gateway alone per request, tokens of {length} characters: behind nginx "
        f"{wanted(hit_behind, least_behind)} on a hit; without a proxy {wanted(hit, least)} on a hit, "
        f"{turns.cpu():.1f} with {TOKENS} in turn (all hits), {miss.cpu():.1f} on a miss, of which RSA "
        f"{rsa:.1f}; nginx {hit_behind.beside / hit_behind.requests * 1e6:.1f}, its `return 200` {fixed.cpu():.1f}"
    )
