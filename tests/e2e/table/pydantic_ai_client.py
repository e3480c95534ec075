# /// script
# requires-python = ">=3.10"
# dependencies = ["pydantic-ai-slim[mcp]==2.68.0"]
# ///
from contextlib import asynccontextmanager

from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from pydantic_ai import ModelRetry
from pydantic_ai.mcp import MCPToolset
from row import STDIO, URL, rows

TARGETS = {
    "stdio": lambda: StdioTransport(**STDIO),
    "http": lambda: StreamableHttpTransport(URL["http"]),
    "sse": lambda: SSETransport(URL["sse"]),
}


@asynccontextmanager
async def connect(transport, form):
    async def person(_message, _kind, params, _context):
        return form(params.requested_schema)

    async with MCPToolset(TARGETS[transport](), elicitation_handler=person) as toolset:

        async def call(name, arguments):
            try:
                return str(await toolset.direct_call_tool(name, arguments))
            except ModelRetry as retry:
                return retry.message

        yield [it.name for it in await toolset.list_tools()], call


rows(TARGETS, connect)
