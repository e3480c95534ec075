"""Thirty people are in a project for some seconds, and the servers that see to their end are killed with SIGKILL: `ends.py BINARY`.

The first server dies before the time comes, two start at once after it, one of which dies at work. Everybody is out in the end,
each taken out once, and who was given more meanwhile is still in."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from checks import check, end

BINARY = sys.argv[1]
PEOPLE = 30
FOLDER = tempfile.mkdtemp()
ENVIRONMENT = {"HOME": FOLDER, "PATH": os.environ["PATH"], "ROLECALL_STORE": f"sqlite:{FOLDER}/store.sqlite3", "TZ": "Europe/Berlin"}


def run(*words):
    done = subprocess.run([BINARY, *words], env=ENVIRONMENT, cwd=FOLDER, capture_output=True, text=True)
    return done.stdout + done.stderr


def call(tool, /, **arguments):
    command = [BINARY, "call", tool, "--json", json.dumps(arguments)]
    return json.loads(subprocess.run(command, env=ENVIRONMENT, cwd=FOLDER, capture_output=True, text=True).stdout)


class Server:
    """The program as an assistant starts it."""

    def __init__(self):
        self.process = subprocess.Popen(
            [BINARY, "serve"], env=ENVIRONMENT, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.sent = 0

    def ask(self, **params):
        self.sent += 1
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
            "io.modelcontextprotocol/clientInfo": {"name": "ends", "version": "1"},
        }
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": self.sent, "method": "tools/call", "params": params}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.sent:
                return answer["result"]
        raise EOFError("the server is gone")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def main():
    people = [f"person-{number:02}@acme.example" for number in range(PEOPLE)]
    first = Server()
    make = lambda tool, **arguments: first.ask(name=tool, arguments=arguments)
    make("create_organization", name="Acme")
    make("create_project", name="Atlas", organization="Acme")
    for person in people:
        make("create_user", email=person, name=person.split("@")[0], organization="Acme")
    give = {
        "name": "add_project_members",
        "arguments": {"csv": "".join(f"Atlas,{person},viewer\n" for person in people), "ends_at": "10 seconds"},
    }
    asked = first.ask(**give)
    question = json.dumps(asked)
    check("the question tells the end and the zone", "ends by itself: until" in question and "(Europe/Berlin)" in question, question)
    yes = {"confirm": {"action": "accept", "content": {"confirm": True}}}
    given = first.ask(**give, inputResponses=yes, requestState=asked["requestState"])["structuredContent"]
    check("everybody is in", given["after"]["done"] == PEOPLE, given["status"])
    ends_at = time.monotonic() + 10
    make("assign_role", project="Atlas", member=people[0], role="member")
    listed = make("list_ending_access", limit=100)["structuredContent"]
    check("their end is listed", listed["shown"] == PEOPLE, listed["shown"])
    first.kill()
    told = run("doctor")
    check("doctor tells of it", f"access that ends: {PEOPLE} to come" in told, told)
    time.sleep(max(0.0, ends_at + 2 - time.monotonic()))
    check("nothing goes while nothing runs", len(members()) == PEOPLE, len(members()))
    one, other = Server(), Server()
    try:
        deadline = time.monotonic() + 30
        while len(members()) == PEOPLE and time.monotonic() < deadline:
            time.sleep(0.05)
        one.kill()
        deadline = time.monotonic() + 120
        while len(members()) > 1 and time.monotonic() < deadline:
            time.sleep(0.5)
        check("who was given more keeps that, and the others are out", members() == [(people[0], ["member"])], members())
        time.sleep(12)
        done = call("list_activity", outcome="done", tool="remove_project_member", limit=100)
        check("each was taken out once", done["shown"] == PEOPLE - 1, done["shown"])
        left = call("list_ending_access")
        check("nothing is left to end", left["shown"] == 0, left)
        whole = run("activity", "--verify")
        check("the ledger is whole", '"ok": true' in whole, whole)
    finally:
        other.kill()


def members():
    found = call("list_project_members", project="Atlas", limit=100)["items"]
    return [(it["member"], it["roles"]) for it in found]


try:
    main()
except Exception as error:  # what broke off is a failure among the others
    check("it broke off", False, repr(error))
end("ends")
