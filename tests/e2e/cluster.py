"""Three replicas behind haproxy, on a cluster of three PostgreSQL servers under Patroni with etcd, whose leader is killed: `cluster.py BINARY`.

A thousand people come into a project meanwhile, by one job: each once, none lost, none twice. A yes is used once, however many replicas
get it at the same moment, and does not count any more once another server has taken over. It takes about two minutes, and uses ports of
the loopback only. Debian's packages: patroni, etcd-server, haproxy, postgresql."""

import concurrent.futures
import csv
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from checks import check, end

BINARY = sys.argv[1]
PEOPLE = 1000
RACES = 30
FOLDER = tempfile.mkdtemp()
LONGEST = 280  # seconds, for all of it
BEGAN = time.monotonic()
PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
RUNNING = []


def missing():
    """What this machine has not."""
    named = ["patroni", "etcd", "haproxy"]
    found = [name for name in named if not (shutil.which(name) or os.path.exists(f"/usr/sbin/{name}"))]
    if not PROGRAMS:
        found.append("postgresql")
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        found.append("setpriv")
    return found


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def as_postgres(*command):
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command] if os.geteuid() == 0 else list(command)


def start(name, command, **options):
    """Starts a program in a group of its own, with what it says in a file."""
    log = open(os.path.join(FOLDER, f"{name}.log"), "ab")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)
    RUNNING.append(process)
    return process


def stop(process, how=signal.SIGKILL):
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        pass
    process.wait()


def fetched(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


def wait_until(what, holds, seconds):
    """Waits for something; the error says for what."""
    deadline = min(time.monotonic() + seconds, BEGAN + LONGEST)
    while time.monotonic() < deadline:
        try:
            seen = holds()
        except (OSError, urllib.error.URLError, ValueError):
            seen = None
        if seen:
            return seen
        time.sleep(0.3)
    raise TimeoutError(what)


class Cluster:
    """etcd, and three servers that it knows the leader of."""

    def __init__(self):
        self.etcd, peer = free_port(), free_port()
        here = f"http://127.0.0.1:{self.etcd}"
        command = ["etcd", "--data-dir", os.path.join(FOLDER, "etcd"), "--listen-client-urls", here, "--advertise-client-urls", here]
        start("etcd", [*command, "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--unsafe-no-fsync"])
        wait_until("etcd", lambda: "true" in fetched(f"{here}/health"), 20)
        self.nodes = {f"node{at}": (free_port(), free_port()) for at in range(3)}
        self.processes = {name: self.begin(name) for name in self.nodes}

    def begin(self, name):
        database, rest = self.nodes[name]
        data = os.path.join(FOLDER, name)
        settings = {
            "scope": "rolecall",
            "name": name,
            "restapi": {"listen": f"127.0.0.1:{rest}", "connect_address": f"127.0.0.1:{rest}"},
            "etcd3": {"host": f"127.0.0.1:{self.etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": 20,
                    "loop_wait": 2,
                    "retry_timeout": 5,
                    # What docs/operators.md says to set.
                    "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": False, "parameters": {"max_connections": 200, "fsync": "off"}},
                },
                "initdb": [{"encoding": "UTF8"}, {"auth": "trust"}, "no-sync"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{database}",
                "connect_address": f"127.0.0.1:{database}",
                "data_dir": data,
                "bin_dir": PROGRAMS[-1],
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "postgres"}},
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
        }
        file = f"{data}.yml"
        with open(file, "w") as out:
            json.dump(settings, out)  # which is YAML
        os.chmod(file, 0o644)
        environment = {"PATH": os.environ["PATH"], "HOME": FOLDER, "LC_ALL": "C.UTF-8"}
        return start(name, as_postgres(shutil.which("patroni"), file), cwd="/", env=environment)

    def members(self):
        for name, (_, rest) in self.nodes.items():
            if self.processes[name].poll() is None:
                try:
                    return json.loads(fetched(f"http://127.0.0.1:{rest}/cluster", 2))["members"]
                except (OSError, urllib.error.URLError):
                    pass
        return []

    def whole(self):
        """Three that run, one of which is waited for."""
        roles = [it["role"] for it in self.members() if it["state"] in ("running", "streaming")]
        return len(roles) == 3 and "leader" in roles and "sync_standby" in roles

    def leader(self):
        return next((it["name"] for it in self.members() if it["role"] == "leader"), None)

    def kill_leader(self):
        """Ends it as a machine does that loses its power."""
        name = self.leader()
        # First the one that would start it anew; the server has a group of its own.
        with open(os.path.join(FOLDER, name, "postmaster.pid")) as file:
            server = int(file.readline())
        stop(self.processes[name])
        os.kill(server, signal.SIGKILL)
        return name

    def url(self):
        hosts = ",".join(f"127.0.0.1:{database}" for database, _ in self.nodes.values())
        return f"postgres://postgres@{hosts}/postgres?target_session_attrs=read-write"

    def end(self):
        for name in self.nodes:
            stop(self.processes[name])
            pid = os.path.join(FOLDER, name, "postmaster.pid")
            if os.path.exists(pid):
                with open(pid) as file:
                    try:
                        os.kill(int(file.readline()), signal.SIGQUIT)
                    except (ProcessLookupError, ValueError):
                        pass


def proxy(ports):
    """haproxy in front of the replicas; gives its port."""
    port = free_port()
    servers = "\n".join(f"    server r{at} 127.0.0.1:{it} check inter 1s fall 60 rise 1" for at, it in enumerate(ports))
    file = os.path.join(FOLDER, "haproxy.cfg")
    with open(file, "w") as out:
        out.write(
            f"""defaults
    mode http
    timeout connect 5s
    timeout client 90s
    timeout server 90s
    timeout check 3s
frontend mcp
    bind 127.0.0.1:{port}
    default_backend rolecall
backend rolecall
    balance roundrobin
    option redispatch
    option httpchk GET /readyz
{servers}
"""
        )
    start("haproxy", [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", file])
    return port


def call(port, timeout=80, **params):
    """Calls a tool; gives the result."""
    params["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        "io.modelcontextprotocol/clientInfo": {"name": "cluster", "version": "1"},
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": params["name"],
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", body, headers)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        text = answer.read().decode()
    lines = [it[6:] for it in text.splitlines() if it.startswith("data: {")] or [text]
    answer = json.loads(lines[-1])
    if "result" not in answer:
        raise ValueError(answer)
    return answer["result"]


def answered(asked, content, **params):
    return dict(params, requestState=asked["requestState"], inputResponses={"confirm": {"action": "accept", "content": content}})


def told(result):
    """The status or the code of a result."""
    said = result.get("structuredContent") or {}
    return said.get("code") or said.get("status") or result.get("resultType")


def hire(people):
    """A service whose people have accounts; gives its process and what it told."""
    state_file = os.path.join(FOLDER, "state.json")

    def service():
        process = subprocess.Popen(
            [BINARY, "sandbox", "engine", "--port", "0", "--state", state_file, "--latency", "20", "--rate", "60"],
            env={"HOME": FOLDER, "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        RUNNING.append(process)
        variables = {}
        for line in process.stdout:
            named = re.match(r"(?:export )?([A-Z_]+)=(\S+)", line.strip())
            if named:
                variables[named[1]] = named[2].strip("'\"")
            if "AIA_ENGINE_API_CUSTOM_TOKEN" in variables:
                return process, variables

    process, variables = service()
    state = json.loads(fetched(variables["AIA_ENGINE_API_TARGET"] + "/_sandbox/state"))
    stop(process)
    for person in people:
        name = person.split("@")[0]
        state["accounts"].append(state["accounts"][1] | {"id": name, "email": person, "display_name": name})
        state["orgs"][1]["seats"].append({"user": name, "role": "r-viewer"})
    with open(state_file, "w") as file:
        json.dump(state, file)
    return service()


def race(ports, number):
    """One yes, given to all replicas at once."""
    project = f"Race {number}"
    call(ports[0], name="create_project", arguments={"name": project, "connection": "local"})
    delete = {"name": "delete_project", "arguments": {"project": project, "connection": "local"}}
    asked = call(ports[number % 3], **delete)
    yes = answered(asked, {"confirm": True, "name": project}, **delete)
    schema = json.dumps(asked.get("inputRequests"))
    yes["inputResponses"]["confirm"]["content"] = {"name": project} if '"name"' in schema else {"confirm": True}
    with concurrent.futures.ThreadPoolExecutor(3) as many:
        return [told(it) for it in many.map(lambda port: call(port, **yes), ports)]


def used_once(outcomes):
    """Whether one was done, and the others were told that the yes was used, or that the project is gone."""
    others = [it for it in outcomes if it != "done"]
    return len(others) == 2 and all(it in ("confirmation_rejected", "project_not_found") for it in others)


def main():
    os.chmod(FOLDER, 0o755)
    if os.geteuid() == 0:
        shutil.chown(FOLDER, "postgres")
    people = [f"person-{number:04}@acme.example" for number in range(PEOPLE)]
    cluster = Cluster()
    try:
        service, variables = hire(people)
        wait_until("a cluster of three, one of which is waited for", cluster.whole, 90)
        config = os.path.join(FOLDER, "rolecall.toml")
        with open(config, "w") as file:
            file.write(
                f"""[connections.local]
provider = "local"
[connections.engine]
provider = "engine"
base_url = "{variables["AIA_ENGINE_API_TARGET"]}"
custom_token = {{ env = "AIA_ENGINE_API_CUSTOM_TOKEN" }}
"""
            )
        environment = {"HOME": FOLDER, "PATH": os.environ["PATH"], "ROLECALL_STORE": cluster.url(), "ROLECALL_CONFIG": config} | variables
        ports = [free_port() for _ in range(3)]
        for at, port in enumerate(ports):
            start(f"replica{at}", [BINARY, "serve", "--http", f"127.0.0.1:{port}", "--allow-host", "127.0.0.1"], env=environment, cwd=FOLDER)
        front = proxy(ports)
        wait_until("replicas that are ready", lambda: all("ok" in fetched(f"http://127.0.0.1:{it}/readyz") for it in ports), 30)
        wait_until("haproxy", lambda: "ok" in fetched(f"http://127.0.0.1:{front}/readyz"), 15)
        doctor = subprocess.run([BINARY, "doctor"], env=environment, cwd=FOLDER, capture_output=True, text=True, timeout=60).stdout
        check("doctor has nothing against a cluster whose standby is waited for", "waits for none" not in doctor, doctor)

        call(front, name="create_organization", arguments={"name": "Acme", "connection": "local"})
        outcomes = [race(ports, number) for number in range(RACES)]
        lost = [it for it in outcomes if not used_once(it)]
        check(f"{RACES} races for one yes: each was used once", not lost, lost[:5])

        call(front, name="create_project", arguments={"name": "Held", "connection": "local"})
        delete = {"name": "delete_project", "arguments": {"project": "Held", "connection": "local"}}
        held = call(front, **delete)
        job_call = {
            "name": "add_project_members",
            "arguments": {"connection": "engine", "csv": "".join(f"Churn forecast,{it},viewer\n" for it in people)},
        }
        asked = call(front, **job_call)
        begun = call(front, **answered(asked, {"confirm": True}, **job_call))
        job = (begun.get("structuredContent") or {}).get("job") or call(front, name="list_jobs", arguments={})["structuredContent"]["items"][0]["job"]

        def seen():
            return call(front, name="get_job", arguments={"job": job, "limit": 1})["structuredContent"]

        wait_until("a fifth of the job", lambda: seen().get("done", 0) >= PEOPLE // 5, 60)
        killed = cluster.kill_leader()
        fell = time.monotonic()
        first = call(front, name="list_projects", arguments={"connection": "local"})
        check("a read waits for the next leader and is answered", told(first) not in ("store_unavailable", "internal"), first)
        made = call(front, name="create_project", arguments={"name": "After", "connection": "local"})
        print(f"cluster: {killed} was killed; the first change was answered {time.monotonic() - fell:.1f} s later: {told(made)}", flush=True)
        check("a change is made by the next leader", told(made) == "done", made)
        again = call(front, **answered(held, {"name": "Held"}, **delete))
        check("a yes from before does not count; the person is asked again", "failed over to another server" in json.dumps(again), again)

        ended = wait_until("the end of the job", lambda: (it := seen()).get("status") not in ("running", None) and it, 150)
        check("the job has ended as done", ended["status"] == "done", ended)
        table = os.path.join(FOLDER, "table.csv")
        subprocess.run([BINARY, "jobs", "show", job, "--csv", table], env=environment, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
        with open(table, newline="") as lines:
            rows = {row["member"]: row for row in csv.DictReader(lines)}
        untrue = [row for row in rows.values() if row["outcome"] != "done"]
        check("its table says that everybody is in", sorted(rows) == people and not untrue, untrue[:5])
        state = json.loads(fetched(variables["AIA_ENGINE_API_TARGET"] + "/_sandbox/state"))
        seats = [it["user"] for it in state["projects"][1]["seats"] if it["user"].startswith("person-")]
        check("everybody is in", sorted(set(seats)) == [it.split("@")[0] for it in people], len(set(seats)))
        check("and nobody twice", len(seats) == len(set(seats)), len(seats))
        verified = subprocess.run([BINARY, "activity", "--verify"], env=environment, cwd=FOLDER, capture_output=True, text=True, timeout=60)
        check("the ledger is whole", verified.returncode == 0, verified.stdout + verified.stderr)
        outcomes = [race(ports, RACES + number) for number in range(5)]
        lost = [it for it in outcomes if not used_once(it)]
        check("races on the next leader, too", not lost, lost[:5])
    finally:
        for process in reversed(RUNNING):
            if process not in cluster.processes.values():
                stop(process)
        cluster.end()


lacking = missing()
if lacking:
    print(f"SKIPPED the cluster: this machine has no {', '.join(lacking)}", flush=True)
    sys.exit(0)
try:
    main()
except Exception as error:  # what broke off is a failure among the others
    check("it broke off", False, repr(error))
    for name in ("replica0", "node0"):
        try:
            with open(os.path.join(FOLDER, f"{name}.log"), errors="replace") as log:
                print(name, log.read()[-1500:], flush=True)
        except OSError:
            pass
else:
    shutil.rmtree(FOLDER, ignore_errors=True)
end("cluster")
