# /// script
# requires-python = ">=3.10"
# dependencies = ["mcp==2.3.0"]
# ///
from contextlib import asynccontextmanager

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp_types import ElicitResult
from row import STDIO, URL, rows, text_of

TARGETS = {"stdio": lambda: StdioServerParameters(**STDIO), "http": lambda: URL["http"], "sse": lambda: sse_client(URL["sse"])}


@asynccontextmanager
async def connect(transport, form):
    async def person(_, params):
        return ElicitResult(action="accept", content=form(params.requested_schema))

    async with Client(TARGETS[transport](), elicitation_callback=person) as client:

        async def call(name, arguments):
            return text_of(await client.call_tool(name, arguments))

        yield [it.name for it in (await client.list_tools()).tools], call


rows(TARGETS, connect)
