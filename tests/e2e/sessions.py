"""Sessions of older clients on three replicas, behind the haproxy and nginx files of docs/operators.md: `sessions.py BINARY`.

A session lives in the replica that opened it. Sent around in turns, two of three requests meet a replica that does not know it, and
are told 404; with each of the files of the manual none is. The files are read from the manual and are used as they stand there, but for
the addresses, the certificate and where nginx may write. What this machine has not is told in a line that begins with SKIPPED."""

import collections
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from checks import check, end

BINARY = sys.argv[1]
MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "operators.md")
FOLDER = tempfile.mkdtemp()
REPLICAS, CLIENTS, CALLS = 3, 10, 8
RUNNING = []


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def start(name, command):
    log = open(os.path.join(FOLDER, f"{name}.log"), "ab")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"HOME": FOLDER, "PATH": os.environ["PATH"]})
    RUNNING.append(process)
    return process


def wait_for(name, port):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    with open(os.path.join(FOLDER, f"{name}.log")) as log:
        raise TimeoutError(f"{name} does not answer: {log.read()[-2000:]}")


def replicas():
    """Three replicas on one store, which know ten callers; gives their ports."""
    tokens = os.path.join(FOLDER, "tokens")
    with open(tokens, "w") as out:
        out.writelines(f"token-of-client-number-{number}\n" for number in range(CLIENTS))
    os.chmod(tokens, 0o600)
    ports = []
    for number in range(REPLICAS):
        port = free_port()
        serve = ["serve", "--http", f"127.0.0.1:{port}", "--token-file", tokens, "--allow-host", "127.0.0.1", "--max-sessions", "100"]
        start(f"replica-{number}", ["env", f"ROLECALL_STORE=sqlite:{FOLDER}/store.db", BINARY, *serve])
        wait_for(f"replica-{number}", port)
        ports.append(port)
    return ports


class Client:
    """A client of 2025-06-18, which opens a session and names it in each request."""

    def __init__(self, port, number):
        self.url = f"http://127.0.0.1:{port}/mcp"
        self.headers = {
            "Authorization": f"Bearer token-of-client-number-{number}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "sessions", "version": "1"}}
        status, headers = self.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})
        check("a session opens", status == 200 and headers.get("Mcp-Session-Id"), (status, dict(headers)))
        self.headers |= {"Mcp-Session-Id": headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-06-18"}

    def post(self, message):
        request = urllib.request.Request(self.url, json.dumps(message).encode(), self.headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                answer.read()
                return answer.status, answer.headers
        except urllib.error.HTTPError as error:
            error.read()
            return error.code, error.headers


def statuses(port):
    """What all clients are told, how often."""
    told = collections.Counter()
    clients = [Client(port, number) for number in range(CLIENTS)]
    for number in range(CALLS):
        for client in clients:
            told[client.post({"jsonrpc": "2.0", "id": number + 1, "method": "tools/list", "params": {}})[0]] += 1
    return told


def blocks():
    """The files of the manual, by what they are for."""
    with open(MANUAL) as manual:
        all_blocks = re.findall(r"^```\w*\n(.*?)^```$", manual.read(), re.S | re.M)
    haproxy = [it for it in all_blocks if "backend rolecall" in it]
    nginx = [it for it in all_blocks if "upstream rolecall" in it]
    check("the manual has a file for each", len(haproxy) == len(nginx) == 1, (len(haproxy), len(nginx)))
    return haproxy[0], nginx[0]


def program(name):
    return shutil.which(name) or next((it for it in [f"/usr/sbin/{name}"] if os.path.exists(it)), None)


def haproxy(name, text, ports):
    """Starts haproxy with the text of a file, for our replicas; gives its port."""
    port = free_port()
    text, bound = re.subn(r"bind :8443 ssl crt \S+", f"bind 127.0.0.1:{port}", text)
    servers = [f"    server r{at} 127.0.0.1:{it} check" for at, it in enumerate(ports)]
    lines = [it for it in text.splitlines() if not it.strip().startswith("server ")]
    check(f"the file of {name} can be used here", bound == 1 and len(lines) < len(text.splitlines()), text)
    file = os.path.join(FOLDER, f"{name}.cfg")
    with open(file, "w") as out:
        out.write("\n".join(lines + servers) + "\n")
    start(name, [program("haproxy"), "-db", "-f", file])
    wait_for(name, port)
    return port


def nginx(name, text, ports):
    """The same for nginx."""
    port = free_port()
    text, bound = re.subn(r"listen 8443 ssl;", f"listen 127.0.0.1:{port};", text)
    servers = "\n".join(f"    server 127.0.0.1:{it};" for it in ports)
    text, replaced = re.subn(r"(    server [\d.]+:\d+;\n)+", servers + "\n", text, count=1)
    check(f"the file of {name} can be used here", bound == replaced == 1, text)
    file, folder = os.path.join(FOLDER, f"{name}.conf"), os.path.join(FOLDER, name)
    os.makedirs(folder)
    paths = "".join(f"{it}_temp_path {folder}/{it};\n" for it in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    user = "user root;\n" if os.geteuid() == 0 else ""
    with open(file, "w") as out:
        out.write(
            f"daemon off;\n{user}pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{paths}{text}\n}}\n"
        )
    start(name, [program("nginx"), "-e", f"{folder}/error.log", "-c", file])
    wait_for(name, port)
    return port


def main():
    with_haproxy, with_nginx = blocks()
    found = {name: program(name) for name in ["haproxy", "nginx"]}
    for name in [name for name, path in found.items() if not path]:
        print(f"SKIPPED sessions behind {name}: it is not installed here", flush=True)
    if not any(found.values()):
        return
    ports = replicas()
    calls = CLIENTS * CALLS
    if found["haproxy"]:
        # As a load balancer stands there that nobody has told of sessions.
        plain = re.sub(r"    stick.*\n", "", with_haproxy).replace("balance leastconn", "balance roundrobin")
        told = statuses(haproxy("haproxy-plain", plain, ports))
        check("in turns most requests meet a replica that does not know the session", told[404] > calls / 2, told)
        told = statuses(haproxy("haproxy", with_haproxy, ports))
        check("behind haproxy all requests come to the session's replica", told == {200: calls}, told)
    if found["nginx"]:
        plain = re.sub(r"    hash .*\n", "", with_nginx)
        told = statuses(nginx("nginx-plain", plain, ports))
        check("in turns most requests meet a replica that does not know the session", told[404] > calls / 2, told)
        told = statuses(nginx("nginx", with_nginx, ports))
        check("behind nginx all requests come to the session's replica", told == {200: calls}, told)


try:
    main()
except Exception as error:  # what broke off is a failure among the others
    check("it broke off", False, repr(error))
finally:
    for process in RUNNING:
        process.terminate()
    for process in RUNNING:
        process.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)
end("sessions behind haproxy and nginx")
