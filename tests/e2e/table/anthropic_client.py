# /// script
# requires-python = ">=3.10"
# dependencies = ["anthropic[mcp]==2.14.0"]
# ///
"""Its helper makes tools of the runner's out of those of a session."""

from contextlib import asynccontextmanager

from anthropic.lib.tools import ToolError
from anthropic.lib.tools.mcp import async_mcp_tool
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult
from row import STDIO, URL, rows

TARGETS = {"stdio": lambda: StdioServerParameters(**STDIO), "http": lambda: URL["http"]}


@asynccontextmanager
async def connect(transport, form):
    async def person(_, params):
        return ElicitResult(action="accept", content=form(params.requested_schema))

    async with Client(TARGETS[transport](), elicitation_callback=person) as client:
        tools = {it.name: async_mcp_tool(it, client) for it in (await client.list_tools()).tools}

        async def call(name, arguments):
            try:
                return str(await tools[name].call(arguments))
            except ToolError as error:
                return f"{error} {error.content}"

        yield list(tools), call


rows(TARGETS, connect)
