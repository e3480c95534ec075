"""Installs and uses what packages/build.py has made, on roots that hold nothing but Python, nothing but Node, or nothing at all.

    python3 packages.py DIST

A clean root is a chroot in a mount namespace of its own, so it takes Linux and root; elsewhere each part is SKIPPED with a line.
"""

import http.server
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.request
import zipfile

from checks import check, end

dist = pathlib.Path(sys.argv[1]).resolve()
LIBRARIES = [it for it in ("/lib", "/lib64", "/usr/lib", "/usr/lib64") if os.path.exists(it)]
CHROOT = shutil.which("chroot", path="/usr/sbin:/sbin:/usr/bin:/bin")

# What a client does: one line starts the server, which lists its tools, answers a read, and asks before it deletes.
CLIENT = r"""
import json, subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def send(message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n"); server.stdin.flush()
def answer(id):
    for line in server.stdout:
        message = json.loads(line)
        if message.get("id") == id and "method" not in message: return message["result"]
send({"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "clean", "version": "1"}}})
answer(1)
send({"method": "notifications/initialized"})
send({"id": 2, "method": "tools/list"})
tools = len(answer(2)["tools"])
def call(id, name, arguments):
    send({"id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}}); return answer(id)
made = call(3, "create_organization", {"name": "Clean"})["structuredContent"]["status"]
gone = call(4, "delete_organization", {"organization": "Clean"})["structuredContent"]["code"]
server.stdin.close()
print(json.dumps([tools, made, gone, server.wait(20)]))
"""
CLIENT_JS = r"""
const { spawn } = require("node:child_process");
const server = spawn(process.argv[2], process.argv.slice(3), { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map(); let rest = "";
server.stdout.on("data", (data) => { rest += data; const lines = rest.split("\n"); rest = lines.pop();
  for (const line of lines) { const it = JSON.parse(line); if (it.id && !it.method) waiting.get(it.id)?.(it.result); } });
const send = (message) => server.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
const ask = (id, method, params) => new Promise((done) => { waiting.set(id, done); send({ id, method, params }); });
(async () => {
  await ask(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "clean", version: "1" } });
  send({ method: "notifications/initialized" });
  const tools = (await ask(2, "tools/list")).tools.length;
  const call = async (id, name, args) => (await ask(id, "tools/call", { name, arguments: args })).structuredContent;
  const made = (await call(3, "create_organization", { name: "Clean" })).status;
  const gone = (await call(4, "delete_organization", { organization: "Clean" })).code;
  server.stdin.end();
  server.on("exit", (code) => console.log(JSON.stringify([tools, made, gone, code])));
})();
"""


def in_clean_root(binds, script, files=None):
    """Runs a shell script in a root that has these folders and nothing else; answers what it printed."""
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        for name, content in {"dist/.keep": "", "home/.keep": "", "tmp/.keep": "", **(files or {})}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        mounts = [f"mount --bind '{dist}' '{root}/dist'"]
        for folder in binds:
            if pathlib.Path(folder).is_symlink():
                (root / folder[1:]).parent.mkdir(parents=True, exist_ok=True)
                os.symlink(os.readlink(folder), root / folder[1:])
            elif pathlib.Path(folder).is_dir():
                (root / folder[1:]).mkdir(parents=True, exist_ok=True)
                mounts.append(f"mount --rbind '{folder}' '{root}{folder}'")
            else:
                (root / folder[1:]).parent.mkdir(parents=True, exist_ok=True)
                (root / folder[1:]).touch()
                mounts.append(f"mount --bind '{folder}' '{root}{folder}'")
        for device in ("null", "urandom"):
            (root / "dev").mkdir(exist_ok=True)
            (root / "dev" / device).touch()
            mounts.append(f"mount --bind /dev/{device} '{root}/dev/{device}'")
        (root / "proc").mkdir()
        mounts.append(f"mount -t proc proc '{root}/proc'")
        start = f"env -i HOME=/home TMPDIR=/tmp LANG=C.UTF-8 {CHROOT} '{root}' {script}"
        command = ["unshare", "--mount", "--pid", "--fork", "sh", "-ec", "\n".join([*mounts, start])]
        return subprocess.run(command, capture_output=True, text=True, timeout=240)


def used(ran, what):
    """Whether the client's last line says that it listed, changed and was asked."""
    last = ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ""
    try:
        tools, made, gone, code = json.loads(last)
    except ValueError:
        return check(what, False, ran.stdout[-500:] + ran.stderr[-1500:])
    check(what, tools > 80 and (made, gone, code) == ("done", "pending_approval", 0), last)


def one(pattern):
    found = sorted(dist.glob(pattern))
    return found[0] if found else None


def skipped(what):
    print("SKIPPED", what, flush=True)


def python_alone():
    if one("*.whl") is None:
        return skipped("wheel: there is none")
    prefix = sys.base_prefix
    script = (
        f"{prefix}/bin/python3 -c \"import os, subprocess as s; s.check_call(['{prefix}/bin/python3', '-m', 'venv', '/venv']); "
        "s.check_call(['/venv/bin/pip', 'install', '--quiet', '--no-index', '--find-links', '/dist', 'rolecall']); "
        "s.check_call(['/venv/bin/python', '/client.py', '/venv/bin/rolecall', 'serve'])\""
    )
    used(in_clean_root([*LIBRARIES, prefix], script, {"client.py": CLIENT}), "nothing but Python: pip install, serve")
    uvx = shutil.which("uvx", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
    if uvx is None:
        return skipped("uvx: uv is not installed")
    uv = str(pathlib.Path(uvx).with_name("uv"))
    script = f"{prefix}/bin/python3 /client.py {uvx} --quiet --no-index --find-links /dist --python {prefix}/bin/python3 rolecall serve"
    used(in_clean_root([*LIBRARIES, prefix, uvx, uv], script, {"client.py": CLIENT}), "nothing but Python: uvx rolecall serve")


def node_alone():
    packages = sorted(str(pathlib.Path("/dist") / it.name) for it in dist.glob("rolecall*.tgz"))
    node, npm = shutil.which("node"), shutil.which("npm")
    if not packages or node is None or npm is None:
        return skipped("npm packages: there are none, or npm is not here")
    # npm is a script of Node's; its folder lies under the libraries.
    cli = pathlib.Path(npm).resolve().parent / "npm-cli.js"
    binds = [*LIBRARIES, os.path.realpath(node)]
    if not str(cli).startswith("/usr/lib/"):
        binds.append(str(cli.parents[1]))
    # npm starts what it runs through a shell, and scripts of Node's begin with `env`: a root without them has no npx at all.
    binds += [os.path.realpath("/bin/sh"), os.path.realpath("/usr/bin/env")]
    named = " ".join(f"--package={it}" for it in packages)
    files = {"client.js": CLIENT_JS, "bin/.keep": ""}
    node = os.path.realpath(node)
    script = f"{node} /client.js {node} {cli} exec --offline --yes {named} -- rolecall serve"
    shell = os.path.realpath("/bin/sh")
    start = f"{shell} -c 'PATH={pathlib.Path(node).parent} npm_config_script_shell={shell}; export PATH npm_config_script_shell; exec {script}'"
    used(in_clean_root(binds, start, files), "nothing but Node: npx rolecall serve")


def nothing_at_all():
    """The image's root: the program and its libraries. Without an engine for containers, it is unpacked and entered."""
    image = one("*-image.tar")
    if image is None:
        return skipped("OCI image: there is none")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with tarfile.open(image) as archive:
            archive.extractall(folder / "image")
        blobs = folder / "image/blobs/sha256"
        index = json.loads((folder / "image/index.json").read_text())
        manifest = json.loads((blobs / index["manifests"][0]["digest"].split(":")[1]).read_text())
        config = json.loads((blobs / manifest["config"]["digest"].split(":")[1]).read_text())["config"]
        root = folder / "root"
        for layer in manifest["layers"]:
            with tarfile.open(blobs / layer["digest"].split(":")[1]) as archive:
                archive.extractall(root)
        check("the image does not run as root", config["User"] == "10001:10001", config)
        check("the image keeps its state in /data", "/data" in config["Volumes"], config)
        variables = [it for it in config["Env"] if not it.startswith("PATH=")]
        start = ["env", "-i", *variables, CHROOT, f"--userspec={config['User']}", str(root), *config["Entrypoint"]]
        version = subprocess.run([*start, "--version"], capture_output=True, text=True, timeout=60)
        check("the image's program starts", version.stdout.startswith("rolecall "), version)
        client = folder / "client.py"
        client.write_text(CLIENT)
        ran = subprocess.run([sys.executable, client, *start, *config["Cmd"]], capture_output=True, text=True, timeout=120)
        used(ran, "the image serves a client")


def bundle():
    found = one("*.mcpb")
    if found is None:
        return skipped("MCPB bundle: there is none")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "zipfile", "-e", found, folder], check=True)
        manifest = json.loads((pathlib.Path(folder) / "manifest.json").read_text())
        server = manifest["server"]["mcp_config"]
        program = pathlib.Path(server["command"].replace("${__dirname}", folder))
        program.chmod(0o755)  # zipfile drops what hosts keep
        # A host that has no value for a setting gives an empty one, or leaves the reference.
        left = dict(zip(server["env"], ["", *list(server["env"].values())[1:]]))
        client = pathlib.Path(folder) / "client.py"
        client.write_text(CLIENT)
        environment = {"HOME": folder, "PATH": "/usr/bin:/bin", **left}
        command = [sys.executable, client, program, *server["args"]]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
        used(ran, "the bundle serves a client with its settings left empty")
        secret = [name for name, it in manifest["user_config"].items() if it.get("sensitive")]
        check("the bundle keeps keys in the host's store", len(secret) == 4, secret)


def installer():
    archive = one("rolecall-*.tar.gz")
    if archive is None:
        return skipped("installer: there is no archive")
    version = archive.name.split("-")[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        published = folder / "www" / version
        shutil.copytree(dist, published)

        handler_class = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})

        def quiet(*arguments):
            return handler_class(*arguments, directory=str(folder / "www"))

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "HOME": str(folder / "home"),
            "PATH": "/usr/bin:/bin",
            "ROLECALL_DOWNLOAD": f"http://127.0.0.1:{server.server_port}",
        }
        ran = subprocess.run(["sh", dist / "install.sh"], capture_output=True, text=True, env=environment, timeout=60)
        program = folder / "home/.local/bin/rolecall"
        said = subprocess.run([program, "--version"], capture_output=True, text=True) if program.exists() else None
        check("the installer installs", said is not None and said.stdout == f"rolecall {version}\n", ran.stdout + ran.stderr)
        with open(published / archive.name, "ab") as altered:
            altered.write(b"x")
        program.unlink(missing_ok=True)
        ran = subprocess.run(["sh", dist / "install.sh"], capture_output=True, text=True, env=environment, timeout=60)
        refused = ran.returncode == 1 and not program.exists() and "the sum of" in ran.stderr
        check("the installer refuses an archive with another sum", refused, ran.stdout + ran.stderr)
        server.shutdown()
        # What was made without an address does not look for one.
        del environment["ROLECALL_DOWNLOAD"]
        if ".example/" in (dist / "install.sh").read_text():
            ran = subprocess.run(["sh", dist / "install.sh"], capture_output=True, text=True, env=environment, timeout=60)
            check("an installer without an address says so", ran.returncode == 1 and "without an address" in ran.stderr, ran)


# What the registry's schema of 2025-12-11 asks of the fields that we have.
ENTRY = {
    "name": r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+",
    "description": r".{1,100}",
    "title": r".{1,100}",
    "version": r"[^\^~<>=*x| ]{1,255}",
    "websiteUrl": r"https?://\S+",
}


def registry(entry):
    """The registry's own schema where it can be had, and always what it says of our fields."""
    wrong = {it: entry.get(it) for it, form in ENTRY.items() if not re.fullmatch(form, str(entry.get(it, "")))}
    check("server.json has what the registry asks of its fields", not wrong, wrong)
    kinds = [(it["registryType"], it["transport"]["type"], it["identifier"], it["version"]) for it in entry["packages"]]
    wanted = [(it, "stdio", "rolecall", entry["version"]) for it in ("pypi", "npm")]
    check("server.json names both packages", kinds == wanted, kinds)
    uvx = shutil.which("uvx", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
    try:
        with urllib.request.urlopen(entry["$schema"], timeout=10) as answer:
            schema = answer.read()
    except OSError as error:
        schema = os.environ.get("SERVER_SCHEMA") and pathlib.Path(os.environ["SERVER_SCHEMA"]).read_bytes()
        if not schema:
            return skipped(f"server.json against the registry's schema: it cannot be had here ({error}); SERVER_SCHEMA may name a copy")
    if uvx is None:
        return skipped("server.json against the registry's schema: uv is not installed")
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "schema.json"
        copy.write_bytes(schema)
        ran = subprocess.run([uvx, "--quiet", "check-jsonschema", "--schemafile", copy, dist / "server.json"], capture_output=True, text=True)
    check("server.json fits the registry's schema", ran.returncode == 0, ran.stdout + ran.stderr)


def oldest_system():
    """A wheel that says which glibc is enough has to be right."""
    wheel = one("*manylinux*.whl")
    if wheel is None or shutil.which("objdump") is None:
        return skipped("glibc: no wheel names one here, or there is no objdump")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        (name,) = [it for it in archive.namelist() if it.endswith(".data/scripts/rolecall")]
        listed = subprocess.run(["objdump", "-T", archive.extract(name, folder)], capture_output=True, text=True, check=True).stdout
    asked = {tuple(map(int, it.split("."))) for it in re.findall(r"GLIBC_([0-9.]+)", listed)}
    promised = tuple(map(int, re.search(r"manylinux_(\d+)_(\d+)", wheel.name).groups()))
    check(f"the program runs with glibc {'.'.join(map(str, promised))}", max(asked) <= promised, sorted(asked)[-3:])


def listings():
    entry = json.loads((dist / "server.json").read_text())
    registry(entry)
    secrets = [it["name"] for it in entry["packages"][0]["environmentVariables"] if it["isSecret"]]
    check("server.json says which variables are secret", "OPENAI_ADMIN_KEY" in secrets and len(secrets) == 4, secrets)
    sums = {line.split()[1]: line.split()[0] for line in (dist / "SHA256SUMS").read_text().splitlines()}
    files = {it.name for it in dist.iterdir()} - {"SHA256SUMS"}
    check("every file has a sum", set(sums) == files, files ^ set(sums))
    archive = one("rolecall-*.tar.gz")
    formula = (dist / "rolecall.rb").read_text()
    check("the formula has the archive's sum", sums[archive.name] in formula, formula)
    if shutil.which("ruby"):
        ran = subprocess.run(["ruby", "-c", dist / "rolecall.rb"], capture_output=True, text=True)
        check("the formula is Ruby", ran.returncode == 0, ran.stderr)
    else:
        skipped("the formula's syntax: ruby is not here")
    bom = one("*.cdx.json")
    if bom:
        names = {it["name"] for it in json.loads(bom.read_text())["components"]}
        check("the SBOM names what the program is made of", {"rmcp", "tokio", "sqlx", "rustls"} <= names, sorted(names)[:20])


listings()
oldest_system()
installer()
bundle()
if platform.system() == "Linux" and os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"]).returncode == 0:
    python_alone()
    node_alone()
    nothing_at_all()
else:
    skipped("clean roots: they take root on Linux")
end("packages")
