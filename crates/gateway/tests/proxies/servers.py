"""The processes of the test: proxies, gateways, an issuer and an application."""

import glob
import os
import re
import resource
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CRATE = os.path.dirname(os.path.dirname(HERE))
FOLDER = os.environ["FOLDER"]
PROXIES = ["nginx", "envoy", "haproxy", "caddy"]
COOL_DOWN = 2

_used = set()


def free_port():
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        if port not in _used:
            _used.add(port)
            return port


def path(name):
    return os.path.join(FOLDER, name)


def write(name, text):
    with open(path(name), "w", encoding="utf-8") as file:
        file.write(text)
    return path(name)


def token(*arguments):
    """Returns a token of the test issuer."""
    result = subprocess.run(
        [os.environ["TOKENS"], *arguments], check=True, capture_output=True, text=True
    )
    return result.stdout.strip()


def publish(*keys):
    """Replaces the key set of the issuer by one with these keys."""
    arguments = [argument for key in keys for argument in ("--key", key)]
    write("jwks.new", token("--jwks", *arguments))
    os.makedirs(path("jwks"), exist_ok=True)
    os.replace(path("jwks.new"), path("jwks/jwks.json"))


class Server:
    """A server process."""

    running = []

    def __init__(self, name, command, port, **options):
        self.name, self.port = name, port
        self.log = path(f"{name}.log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=FOLDER, stdout=log, stderr=log, start_new_session=True, **options
            )
        Server.running.append(self)
        for _ in range(300):
            if self.process.poll() is not None:
                break
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit(f"{name} does not start:\n{self.tail()}")

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-15:])

    def stop(self):
        if self in Server.running:
            Server.running.remove(self)
            self.process.send_signal(signal.SIGTERM)
            try:
                return self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                return self.process.wait()
        return None

    def cpu(self):
        """Returns the CPU time of the process and its children, in user mode and in the kernel, in seconds."""
        user, kernel, pids = 0, 0, [self.process.pid]
        for pid in pids:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            user += int(fields[11])
            kernel += int(fields[12])
            for children in glob.glob(f"/proc/{pid}/task/*/children"):
                with open(children, encoding="utf-8") as file:
                    pids += [int(child) for child in file.read().split()]
        ticks = os.sysconf("SC_CLK_TCK")
        return user / ticks, kernel / ticks


def verification(count):
    """Returns the CPU time of an RS256 verification, in seconds."""
    cpu = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    times = []
    for number in [0, count]:
        before = cpu()
        token("--verify", str(number))
        times.append(cpu() - before)
    return (times[1] - times[0]) / count


def minimum():
    """Starts a hyper server that responds 200 to each request without any work."""
    port = free_port()
    return Server("minimum", [os.environ["MINIMUM"], f"127.0.0.1:{port}"], port)


def nginx(name, port, http):
    """Starts nginx with these lines in its http block."""
    user = "user root;" if os.getuid() == 0 else ""
    folders = "".join(
        f"{kind}_temp_path {path(f'{name}_{kind}')};\n"
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    )
    config = write(
        f"{name}.conf",
        f"{user} worker_processes 1; daemon off; pid {path(name)}.pid;\n"
        f"error_log {path(name)}.error.log;\nevents {{ worker_connections 2048; }}\n"
        f"http {{ access_log off; keepalive_requests 1000000;\n{folders}{http} }}\n",
    )
    return Server(name, ["nginx", "-c", config, "-e", path(f"{name}.error.log")], port)


def issuer(port):
    return nginx(
        "issuer",
        port,
        f"server {{ listen 127.0.0.1:{port}; root {path('jwks')}; default_type application/json; }}",
    )


def application(port):
    """Starts an application that returns the header fields and path that it received."""
    names = ["subject", "scope", "issuer", "client", "roles"]
    seen = "".join(f'add_header X-Seen-{name} "[$http_x_auth_{name}]";\n' for name in names)
    return nginx(
        "application",
        port,
        f"""large_client_header_buffers 4 32k;
        # Like CGI, it treats X_Auth_Subject like X-Auth-Subject.
        underscores_in_headers on;
        server {{ listen 127.0.0.1:{port};
          location / {{ {seen}
            add_header X-Seen-Authorization "[$http_authorization]";
            add_header X-Seen-DPoP "[$http_dpop]";
            add_header X-Seen-Access-Token "[$http_x_access_token]";
            add_header X-Seen-Cookie "[$http_cookie]";
            add_header X-Seen-Override "[$http_x_original_url$http_x_rewrite_url$http_x_http_method_override\
$http_x_http_method$http_x_method_override]";
            add_header X-Seen-Upgrade "[$http_upgrade]";
            add_header X-Seen-Connection "[$http_connection]";
            add_header X-Seen-Path $uri;
            return 200 "seen\\n"; }} }}""",
    )


def gateway(proxy, issuer_port, name=None, extra=""):
    """Starts a gateway for a proxy, with its ports in `port` and `admin`."""
    port, admin = free_port(), free_port()
    name = name or f"gateway_{proxy}"
    keys = f"http://127.0.0.1:{issuer_port}/jwks.json"
    config = write(
        f"{name}.toml",
        f"""listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin}"
proxy = "{proxy}"
realm = "health"
cors_preflight = true
{extra}
[headers]
X-Auth-Subject = "sub"
X-Auth-Scope = "scope"
X-Auth-Issuer = "iss"
X-Auth-Client = {{ first_of = ["azp", "client_id"] }}
X-Auth-Roles = ["realm_access", "roles"]

[[issuer]]
url = "https://my-domain.auth0.com/"
audiences = "https://example.com/health-api"
jwks_url = "{keys}"
danger_allow_loopback_http = true
cool_down = {COOL_DOWN}
max_back_off = {COOL_DOWN}
timeout = 1

# Another issuer, with the same keys for another API.
[[issuer]]
url = "https://other.example/"
audiences = "https://example.com/bank-api"
jwks_url = "{keys}"
danger_allow_loopback_http = true
cool_down = {COOL_DOWN}
timeout = 1

[[route]]
path = "/patients"
methods = ["GET", "HEAD"]
scopes_all = ["read:patients"]

[[route]]
path = "/patients"
methods = ["POST", "PUT", "PATCH", "DELETE"]
scopes_all = ["read:patients", "write:patients"]

[[route]]
path = "/admin"
scopes_any = ["admin", "read:admin"]

[[route]]
path = "/profile"
valid_token_suffices = true

[[route]]
path = "/news"
token = "optional"
""",
    )
    command = [os.environ["GATEWAY"], "--config", config, "--log", "info"]
    server = Server(name, command, admin)
    server.port, server.admin = port, admin
    return server


def sample(name, ports):
    """Returns a configuration of the folder proxies with other ports."""
    with open(os.path.join(CRATE, "proxies", name), encoding="utf-8") as file:
        text = file.read()
    return re.sub(r"\b(8080|9180|8000)\b", lambda port: str(ports[port[0]]), text)


def packaged(name):
    """Returns the path of the program in a package from PyPI, not of the script that starts it."""
    found = glob.glob(f"{os.environ['PACKAGES']}/**/{name}", recursive=True)
    program = next(file for file in found if os.path.isfile(file) and os.path.getsize(file) > 1 << 20)
    os.chmod(program, 0o755)
    return program


def with_token_in(word):
    """Returns a function that uncomments the lines of a configuration for a header field or cookie."""
    word = word.replace("-", "[-_]")
    line = re.compile(rf"^( *\t*)(?:#|--) ((?!With ).*{word}.*)$", re.M | re.I)

    def edit(text):
        text, count = line.subn(r"\1\2", text)
        if not count and "claimgate.lua" not in text:
            raise SystemExit(f"no line for {word}:\n{text}")
        return text

    return edit


def proxy(name, gateway_port, application_port, process=None, edit=lambda text: text):
    """Starts a proxy with its configuration of the folder proxies, which `edit` changes."""
    port = free_port()
    ports = {"8080": port, "9180": gateway_port, "8000": application_port}
    process = process or name
    if name == "nginx":
        return nginx(process, port, edit(sample("nginx.conf", ports)))
    if name == "envoy":
        config = write(f"{process}.yaml", edit(sample("envoy.yaml", ports)))
        program = packaged("envoy")
        command = [program, "-c", config, "--concurrency", "1", "--log-level", "warn"]
        return Server(process, [*command, "--use-dynamic-base-id"], port)
    if name == "haproxy":
        write(f"{process}.lua", edit(sample("claimgate.lua", ports)))
        config = edit(sample("haproxy.cfg", ports)).replace("claimgate.lua", f"{process}.lua")
        config = write(f"{process}.cfg", config)
        return Server(process, ["haproxy", "-db", "-f", config], port)
    config = write(f"{process}.Caddyfile", edit(sample("Caddyfile", ports)))
    program = packaged("caddy")
    environment = {**os.environ, "HOME": FOLDER, "GOMAXPROCS": "2"}
    command = [program, "run", "--config", config, "--adapter", "caddyfile"]
    return Server(process, command, port, env=environment)
