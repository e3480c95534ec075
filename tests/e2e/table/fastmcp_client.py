# /// script
# requires-python = ">=3.10"
# dependencies = ["fastmcp==4.2.3"]
# ///
from contextlib import asynccontextmanager

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from row import STDIO, URL, rows, text_of

TARGETS = {
    "stdio": lambda: StdioTransport(**STDIO),
    "http": lambda: StreamableHttpTransport(URL["http"]),
    "sse": lambda: SSETransport(URL["sse"]),
}


@asynccontextmanager
async def connect(transport, form):
    async def person(_message, _kind, params, _context):
        return form(params.requested_schema)

    async with Client(TARGETS[transport](), elicitation_handler=person) as client:

        async def call(name, arguments):
            return text_of(await client.call_tool(name, arguments, raise_on_error=False))

        yield [it.name for it in await client.list_tools()], call


rows(TARGETS, connect)
