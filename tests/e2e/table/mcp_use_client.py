# /// script
# requires-python = ">=3.11"
# dependencies = ["mcp-use==1.7.1"]
# ///
from contextlib import asynccontextmanager

from mcp.types import ElicitResult
from mcp_use import MCPClient
from row import STDIO, URL, rows, text_of

TARGETS = {"stdio": STDIO, "http": {"url": URL["http"]}, "sse": {"url": URL["sse"], "transport": "sse"}}


@asynccontextmanager
async def connect(transport, form):
    async def person(_, params):
        return ElicitResult(action="accept", content=form(params.requestedSchema))

    client = MCPClient({"mcpServers": {"rolecall": TARGETS[transport]}}, elicitation_callback=person)
    session = await client.create_session("rolecall")
    try:

        async def call(name, arguments):
            return text_of(await session.call_tool(name, arguments))

        yield [it.name for it in await session.list_tools()], call
    finally:
        await client.close_all_sessions()


rows(TARGETS, connect)
