"""A person at a terminal: what waits is approved by typing, and a call at a terminal asks by itself.

usage: terminal.py BINARY    (ROLECALL_STORE names a seeded store)
"""

import asyncio
import json
import os
import re
import subprocess
import sys

import pseudo_terminal
from checks import check, end
from mcp import Client, StdioServerParameters

BINARY = sys.argv[1]
ENVIRONMENT = {name: os.environ[name] for name in ("ROLECALL_STORE", "HOME", "PATH")} | {"TERM": "xterm"}


def at_terminal(*arguments, answer="", interrupt=None, seconds=20):
    return pseudo_terminal.run([BINARY, *arguments], ENVIRONMENT, answer, interrupt, seconds)


def without_terminal(*arguments):
    done = subprocess.run([BINARY, *arguments], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def agent():
    """An assistant whose client cannot ask anybody."""
    server = StdioServerParameters(command=BINARY, args=["serve"], env=ENVIRONMENT)
    return Client(server, read_timeout_seconds=20)


async def there(it, project):
    found = await it.call_tool("list_projects", {"query": project})
    return any(one["project"] == project for one in found.structured_content["items"])


async def approvals():
    project = "E2E approved"
    async with agent() as it:
        await it.call_tool("create_project", {"organization": "acme", "name": project})
        waiting = await it.call_tool("delete_project", {"project": project})
        check("the agent is told to wait", waiting.is_error and waiting.structured_content["code"] == "pending_approval", waiting)
        number = waiting.structured_content["approval_id"]

        code, screen = without_terminal("approve", number)
        check("nothing is approved without a terminal", code != 0, screen)
        await it.call_tool("delete_project", {"project": project})
        check("and nothing is deleted", await there(it, project))

        code, screen = at_terminal("approve", number, answer="something else")
        check("another name approves nothing", code != 0 and project in screen, screen)
        await it.call_tool("delete_project", {"project": project})
        check("and deletes nothing", await there(it, project))

        code, screen = at_terminal("approve", number, answer=project)
        check("the name approves", code == 0, screen)
        check("but the approval deletes nothing by itself", await there(it, project))
        done = await it.call_tool("delete_project", {"project": project})
        check("the repeated call is made", not done.is_error and done.structured_content["status"] == "done", done)
        check("and the project is gone", not await there(it, project))

        other = "E2E refused"
        await it.call_tool("create_project", {"organization": "acme", "name": other})
        waiting = await it.call_tool("delete_project", {"project": other})
        code, screen = at_terminal("refuse", waiting.structured_content["approval_id"], answer="y")
        check("a person can refuse", code == 0, screen)
        answer = await it.call_tool("delete_project", {"project": other})
        check("the agent is told so", answer.is_error and answer.structured_content["code"] == "refused", answer)
        check("and nothing is deleted after a refusal", await there(it, other))


async def calls():
    project = "E2E terminal"
    code, screen = without_terminal("call", "create_project", "--organization", "acme", "--name", project)
    check("a project is created from a script", code == 0, screen)
    async with agent() as it:
        code, screen = without_terminal("call", "delete_project", "--project", project)
        check("a script is not asked, and deletes nothing", code != 0 and await there(it, project), screen)

        # Under another name, since the script's question is waiting for its own approval.
        renamed = f"{project} renamed"
        await it.call_tool("update_project", {"project": project, "name": renamed})
        code, screen = at_terminal("call", "delete_project", "--project", renamed, answer="something else")
        check("at a terminal another name deletes nothing", code != 0 and await there(it, renamed), screen)

        code, screen = at_terminal("call", "delete_project", "--project", renamed, answer=renamed)
        check("at a terminal the name deletes", code == 0 and not await there(it, renamed), screen)
    code, screen = without_terminal("activity", "--verify")
    check("the ledger is whole", code == 0, screen)


async def jobs():
    step = lambda at: {"tool": "create_team", "arguments": {"organization": "acme", "name": f"E2E team {at}"}}
    steps = json.dumps({"steps": [step(at) for at in range(150)]})
    code, screen = at_terminal("call", "apply_changes", "--json", steps, interrupt=r" [1-9]\d? of 150, ")
    check("a bar shows how far a job is", re.search(r" \d+ of 150, \d+ a second, \d+ s left", screen), screen)
    job = re.search(r"rolecall jobs resume (job_\w+)", screen)
    check("Ctrl-C ends it between two rows", code == 1 and job, screen)
    code, screen = at_terminal("jobs", "resume", job[1], seconds=60)
    check("and it is gone on with", code == 0 and f"{job[1]} apply_changes, 150 changes: done; 150 done" in screen, screen)
    code, screen = at_terminal("jobs", "show", job[1], "--watch")
    check("one that has ended is not watched for ever", code == 0 and "150 done" in screen, screen)
    code, screen = without_terminal("call", "apply_changes", "--json", json.dumps({"steps": [step(150)]}))
    check("in a script there is no bar", code == 0 and "of 1" not in screen and json.loads(screen)["status"] == "done", screen)


for part in (approvals, calls, jobs):
    try:
        asyncio.run(asyncio.wait_for(part(), timeout=120))
    except Exception as error:  # one part's failure must not hide the other's result
        check(f"{part.__name__}: it broke off", False, repr(error))
end("person at a terminal")
