# /// script
# requires-python = ">=3.10"
# dependencies = ["mcp==1.30.0"]
# ///
from contextlib import asynccontextmanager

from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import ElicitResult
from row import STDIO, URL, rows, text_of

STREAMS = {
    "stdio": lambda: stdio_client(StdioServerParameters(**STDIO)),
    "http": lambda: streamablehttp_client(URL["http"]),
    "sse": lambda: sse_client(URL["sse"]),
}


@asynccontextmanager
async def connect(transport, form):
    async def person(_, params):
        return ElicitResult(action="accept", content=form(params.requestedSchema))

    async with STREAMS[transport]() as streams, ClientSession(*streams[:2], elicitation_callback=person) as session:
        await session.initialize()

        async def call(name, arguments):
            return text_of(await session.call_tool(name, arguments))

        yield [it.name for it in (await session.list_tools()).tools], call


rows(STREAMS, connect)
