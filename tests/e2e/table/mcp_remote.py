# /// script
# requires-python = ">=3.10"
# dependencies = ["mcp==2.3.0"]
# ///
"""The bridge for clients that can only start a program: stdio on this side, the network on the other."""

import os
from contextlib import asynccontextmanager

from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult
from row import ENV, URL, rows, text_of

BRIDGE = f"{os.environ['NODE_MODULES']}/mcp-remote/dist/proxy.js"


@asynccontextmanager
async def connect(transport, form):
    async def person(_, params):
        return ElicitResult(action="accept", content=form(params.requested_schema))

    server = StdioServerParameters(command="node", args=[BRIDGE, URL[transport], "--transport", f"{transport}-only"], env=ENV)
    async with Client(server, mode="legacy", elicitation_callback=person) as client:

        async def call(name, arguments):
            return text_of(await client.call_tool(name, arguments))

        yield [it.name for it in (await client.list_tools()).tools], call


rows(["http", "sse"], connect)
