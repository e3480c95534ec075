"""The official Python client against a running server: every transport, both eras.

usage: clients.py BINARY BASE_URL    (ROLECALL_STORE names the seeded store that the server at BASE_URL uses)
"""

import asyncio
import importlib.metadata
import logging
import os
import sys
import traceback

import mcp_types as types
from checks import check, end
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.sse import sse_client

BINARY, BASE = sys.argv[1:3]
PATIENCE = 30
TRANSPORTS = {
    "stdio": lambda: StdioServerParameters(
        command=BINARY, args=["serve"], env={"ROLECALL_STORE": os.environ["ROLECALL_STORE"], "HOME": os.environ["HOME"]}
    ),
    "http": lambda: f"{BASE}/mcp",
    "sse": lambda: sse_client(f"{BASE}/sse"),
}
ERAS = {"2025-11-25": "legacy", "2026-07-28": "2026-07-28"}


class Person:
    """Who answers the server's questions."""

    def __init__(self, manner, name=""):
        self.manner, self.name, self.questions = manner, name, []

    async def __call__(self, _context, params):
        self.questions.append(params)
        if self.manner != "accept" and self.manner != "mistype":
            return types.ElicitResult(action=self.manner)
        typed = self.name if self.manner == "accept" else f"not {self.name}"
        fields = params.requested_schema["properties"]
        yes = self.manner == "accept"
        return types.ElicitResult(action="accept", content={"name": typed} if "name" in fields else {"confirm": yes})


def client(transport, mode, person=None):
    return Client(TRANSPORTS[transport](), mode=mode, elicitation_callback=person, read_timeout_seconds=PATIENCE)


async def there(it, project):
    found = await it.call_tool("list_projects", {"query": project})
    return any(one["project"] == project for one in found.structured_content["items"])


async def reads(label, it):
    tools = (await it.list_tools()).tools
    names = {tool.name for tool in tools}
    check(f"{label}: the list has the tools", {"list_projects", "delete_project"} <= names, names)
    check(f"{label}: a destructive tool says so", next(t for t in tools if t.name == "delete_project").annotations.destructive_hint)
    answer = await it.call_tool("list_projects", {})
    check(f"{label}: a read answers with a list", not answer.is_error and answer.structured_content["items"], answer)
    check(f"{label}: and with text", bool(answer.content and answer.content[0].text), answer)
    wrong = await it.call_tool("list_projects", {"colour": "red"})
    check(f"{label}: an unknown argument is an error that the model reads", wrong.is_error, wrong)
    try:
        unknown = await it.call_tool("no_such_tool", {})
        check(f"{label}: an unknown tool is a protocol error", False, unknown)
    except MCPError as error:
        check(f"{label}: an unknown tool is a protocol error", error.code == types.INVALID_PARAMS, error)


async def surroundings(label, it):
    prompts = (await it.list_prompts()).prompts
    check(f"{label}: there are prompts", bool(prompts), prompts)
    for prompt in prompts:
        arguments = {argument.name: "Atlas" for argument in prompt.arguments or []}
        text = await it.get_prompt(prompt.name, arguments)
        check(f"{label}: prompt {prompt.name} has a message", bool(text.messages), text)
    resources = (await it.list_resources()).resources
    check(f"{label}: there are resources", bool(resources), resources)
    for resource in resources:
        contents = (await it.read_resource(resource.uri)).contents
        check(f"{label}: resource {resource.uri} has contents", bool(contents), contents)
    templates = (await it.list_resource_templates()).resource_templates
    check(f"{label}: there are templates", bool(templates), templates)
    for prompt in prompts:
        for argument in prompt.arguments or []:
            reference = types.PromptReference(type="ref/prompt", name=prompt.name)
            found = await it.complete(reference, {"name": argument.name, "value": ""})
            wanted = {"project": "Atlas", "organization": "Acme"}.get(argument.name)
            fits = wanted is None or any(wanted in value for value in found.completion.values)
            check(f"{label}: {argument.name} of {prompt.name} completes", fits, found)


async def guarded(label, transport, mode):
    project = f"E2E python {transport} {mode}"
    async with client(transport, mode, Person("accept", project)) as it:
        made = await it.call_tool("create_project", {"organization": "acme", "name": project})
        check(f"{label}: a project is created", not made.is_error, made)
    refusals = {"decline": "declined", "cancel": "cancelled", "mistype": "wrong_confirmation"}
    for manner, code in refusals.items():
        person = Person(manner, project)
        async with client(transport, mode, person) as it:
            answer = await it.call_tool("delete_project", {"project": project})
            check(f"{label}: {manner} is an error", answer.is_error and answer.structured_content["code"] == code, answer)
            check(f"{label}: {manner} was asked once, by name", len(person.questions) == 1 and project in person.questions[0].message, person.questions)
            check(f"{label}: {manner} deletes nothing", await there(it, project))
    async with client(transport, mode) as it:
        answer = await it.call_tool("delete_project", {"project": project})
        waits = answer.is_error and answer.structured_content["code"] == "pending_approval"
        check(f"{label}: who cannot be asked waits for an approval", waits, answer)
        check(f"{label}: and deletes nothing", await there(it, project))
        again = await it.call_tool("delete_project", {"project": project})
        check(f"{label}: and a repeated call deletes nothing", again.is_error and await there(it, project), again)
        dry = await it.call_tool("delete_project", {"project": project, "dry_run": True})
        check(f"{label}: a dry run deletes nothing", not dry.is_error and await there(it, project), dry)
    # Asked under another name, or the approval that waits would be answered first.
    renamed = f"{project} renamed"
    person = Person("accept", renamed)
    async with client(transport, mode, person) as it:
        await it.call_tool("update_project", {"project": project, "name": renamed})
        answer = await it.call_tool("delete_project", {"project": renamed})
        done = not answer.is_error and answer.structured_content["status"] == "done"
        check(f"{label}: who types the name deletes", done and len(person.questions) == 1, answer)
        check(f"{label}: and the project is gone", not await there(it, renamed))
    # Where less is at stake a yes is enough, but it has to be one.
    team = f"{project} team"
    for manner in ("mistype", "accept"):
        person = Person(manner)
        async with client(transport, mode, person) as it:
            if manner == "mistype":
                await it.call_tool("create_team", {"organization": "acme", "name": team})
            answer = await it.call_tool("delete_team", {"team": team})
            asked = len(person.questions) == 1 and "confirm" in person.questions[0].requested_schema["properties"]
            check(f"{label}: {manner} without a name to type", asked and answer.is_error == (manner == "mistype"), answer)
            left = (await it.call_tool("list_teams", {"query": team})).structured_content["items"]
            check(f"{label}: {manner} leaves {len(left)} teams", len(left) == (1 if manner == "mistype" else 0))


async def combination(transport, era, mode):
    label = f"{transport} {era}"
    async with client(transport, mode, Person("decline")) as it:
        check(f"{label}: the revision is agreed", it.protocol_version == era, it.protocol_version)
        await reads(label, it)
        await surroundings(label, it)
    await guarded(label, transport, mode)


async def main():
    for transport in TRANSPORTS:
        for era, mode in ERAS.items():
            try:
                await asyncio.wait_for(combination(transport, era, mode), timeout=120)
            except Exception as error:
                while isinstance(error, BaseExceptionGroup):  # what happened lies in groups of tasks
                    error = error.exceptions[0]
                check(f"{transport} {era}: it broke off", False, "".join(traceback.format_exception(error)[-3:]))
    async with client("http", "auto") as it:
        check("http auto: the newest revision is chosen", it.protocol_version == "2026-07-28", it.protocol_version)


logging.disable(logging.WARNING)  # the client warns of the answer 202 to the end of a session, which is a right one
asyncio.run(main())
end(f"python client (mcp {importlib.metadata.version('mcp')})")
