"""What each client is put through, and the line that it prints for each of its transports.

A driver calls `rows` with how its client connects: an async context manager that gives the names of the tools and a function
`call(name, arguments)`, which answers a text. Who can be asked answers with `form(schema)`, in the types of the client.
"""

import asyncio
import json
import logging
import os
import pathlib
import sys

BINARY, BASE = sys.argv[1:3]
CLIENT = pathlib.Path(sys.argv[0]).stem
ENV = {"ROLECALL_STORE": os.environ["ROLECALL_STORE"], "HOME": os.environ["HOME"], "PATH": os.environ["PATH"]}
STDIO = {"command": BINARY, "args": ["serve"], "env": ENV}
URL = {"http": f"{BASE}/mcp", "sse": f"{BASE}/sse"}
PATIENCE = 60


def text_of(result):
    """The texts of a result of tools/call."""
    return "\n".join(it.text for it in result.content if getattr(it, "text", None))


async def one(transport, connect):
    project = f"Table {CLIENT} {transport}"
    questions = []

    def form(schema):
        questions.append(schema)
        return {"name": project} if "name" in schema["properties"] else {"confirm": True}

    async with connect(transport, form) as (tools, call):
        made = await call("create_project", {"organization": "acme", "name": project})
        read = await call("list_projects", {"query": project})
        guarded = await call("delete_project", {"project": project})
    return {"project": project, "tools": list(tools), "made": made, "read": read, "guarded": guarded, "asked": len(questions)}


async def each(transports, connect):
    for transport in transports:
        try:
            row = await asyncio.wait_for(one(transport, connect), PATIENCE)
        except Exception as error:
            while isinstance(error, BaseExceptionGroup):  # what happened lies in groups of tasks
                error = error.exceptions[0]
            row = {"fault": f"{type(error).__name__}: {error}"}
        print("ROW " + json.dumps({"transport": transport, **row}), flush=True)


def rows(transports, connect):
    logging.disable(logging.WARNING)
    asyncio.run(each(transports, connect))
