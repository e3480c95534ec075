"""Clients of many makers, with no key and no model: each lists the tools, reads, and makes a call that wants a person.

usage: table.py BINARY BASE_URL    (ROLECALL_STORE names the seeded store that the server at BASE_URL uses)

A driver beside this file is a client. Those in Python say what they need in their head, and uv gives each an environment of its own;
those in JavaScript use the packages of ../package.json. What cannot be installed is SKIPPED, with the reason. A guarded call ends in
one of two ways: the client showed the question and its person typed the name (`asked`), or it cannot ask, and the change waits for a
person elsewhere (`waits`). What became of it is looked up in the store, by another process.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from checks import check, end

BINARY, BASE = sys.argv[1:3]
HERE = pathlib.Path(__file__).resolve().parent
NODE_MODULES = pathlib.Path(os.environ["NODE_MODULES"])
UV = shutil.which("uv", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
QUIET = {"MCP_USE_ANONYMIZED_TELEMETRY": "false", "OPENAI_AGENTS_DISABLE_TRACING": "1", "FASTMCP_CHECK_FOR_UPDATES": "off", "PYTHONWARNINGS": "ignore"}
ENV = {**os.environ, **QUIET, "PYTHONPATH": str(HERE)}
# What a client can do is part of the table: it fails where one that asked asks no more.
WAITS = {"openai_agents_client", "fast_agent_client", "strands_agents_client", "inspector_cli", "langchain_js"}
AT_ONCE = 3


def last(ran):
    return (ran.stderr.strip() or ran.stdout.strip() or f"exit code {ran.returncode}").splitlines()[-1][:300]


def driven(driver):
    """The name of a client with its version, its rows, and why there are none."""
    head = driver.read_text()
    if driver.suffix == ".mjs":
        package = re.search(r"// client: (\S+)", head)[1]
        described = NODE_MODULES / package / "package.json"
        if not described.exists():
            return package, [], f"npm did not install {package}"
        name = f"{package} {json.loads(described.read_text())['version']}"
        copy = NODE_MODULES.parent / "table"
        shutil.copytree(HERE, copy, dirs_exist_ok=True, ignore=lambda _, names: [it for it in names if not it.endswith(".mjs")])
        ran = subprocess.run(["node", copy / driver.name, BINARY, BASE], env=ENV, capture_output=True, text=True, timeout=240)
    else:
        wanted = json.loads(re.search(r"# dependencies = (\[.*\])", head)[1])
        scripts = {"mcp_remote": "mcp-remote", "inspector_cli": "@modelcontextprotocol/inspector"}
        if driver.stem in scripts:
            described = NODE_MODULES / scripts[driver.stem] / "package.json"
            if not described.exists():
                return scripts[driver.stem], [], f"npm did not install {scripts[driver.stem]}"
            name = f"{scripts[driver.stem]} {json.loads(described.read_text())['version']}"
        else:
            name = wanted[0].replace("==", " ")
        if UV is None:
            return name, [], "uv is not installed"
        made = subprocess.run([UV, "sync", "--quiet", "--script", driver], env=ENV, capture_output=True, text=True, timeout=240)
        if made.returncode:
            return name, [], f"its packages cannot be had: {last(made)}"
        run = [UV, "run", "--quiet", "--offline", "--script", driver, BINARY, BASE]
        ran = subprocess.run(run, env=ENV, capture_output=True, text=True, timeout=240)
    rows = [json.loads(line[4:]) for line in ran.stdout.splitlines() if line.startswith("ROW ")]
    return name, rows or [{"transport": "any", "fault": last(ran)}], None


def projects():
    """Those of the table that there are, as another process sees them."""
    command = [BINARY, "call", "list_projects", "--query", "Table ", "--all", "-o", "json"]
    listed = subprocess.run(command, env=ENV, capture_output=True, text=True, check=True)
    return {it["project"] for it in json.loads(listed.stdout)["items"]}


drivers = sorted(it for it in [*HERE.glob("*.py"), *HERE.glob("*.mjs")] if it.stem not in ("row", "table"))
with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
    results = list(zip(drivers, pool.map(driven, drivers)))
left = projects()
lines = []
for driver, (name, rows, reason) in results:
    if reason:
        print(f"SKIPPED {name}: {reason}", flush=True)
    for row in rows:
        label = f"{name} over {row['transport']}"
        if "fault" in row:
            check(label, False, row["fault"])
            lines.append((name, row["transport"], "-", "-", "failed"))
            continue
        check(f"{label}: the list is whole", len(row["tools"]) > 80 and {"list_projects", "delete_project"} <= set(row["tools"]), len(row["tools"]))
        check(f"{label}: a read answers", row["project"] in row["read"], row["read"][:500])
        waits = "rolecall approve" in row["guarded"] and row["project"] in left and row["asked"] == 0
        asked = row["asked"] == 1 and row["project"] not in left
        came = "waits" if waits else "asked" if asked else "wrong"
        check(f"{label}: the guarded call", came == ("waits" if driver.stem in WAITS else "asked"), f"{came}, asked {row['asked']} times: {row['guarded'][:500]}")
        lines.append((name, row["transport"], str(len(row["tools"])), "ok" if row["project"] in row["read"] else "wrong", came))
head = ("client", "transport", "tools", "read", "guarded call")
widths = [max(len(line[n]) for line in [head, *lines]) for n in range(len(head))]
for line in [head, *lines]:
    print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
end(f"clients of many makers: {len({it[0] for it in lines})} clients, {len(lines)} rows")
