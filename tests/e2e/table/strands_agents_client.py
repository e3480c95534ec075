# /// script
# requires-python = ">=3.10"
# dependencies = ["strands-agents==1.62.0"]
# ///
import asyncio
from contextlib import asynccontextmanager

from mcp import StdioServerParameters, stdio_client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from row import STDIO, URL, rows
from strands.tools.mcp import MCPClient

STREAMS = {
    "stdio": lambda: stdio_client(StdioServerParameters(**STDIO)),
    "http": lambda: streamable_http_client(URL["http"]),
    "sse": lambda: sse_client(URL["sse"]),
}


@asynccontextmanager
async def connect(transport, _form):
    client = MCPClient(STREAMS[transport])
    await asyncio.to_thread(client.__enter__)
    try:

        async def call(name, arguments):
            result = await asyncio.to_thread(client.call_tool_sync, name, name, arguments)
            return "\n".join(it.get("text", "") for it in result["content"])

        yield [it.tool_name for it in await asyncio.to_thread(client.list_tools_sync)], call
    finally:
        await asyncio.to_thread(client.__exit__, None, None, None)


rows(STREAMS, connect)
