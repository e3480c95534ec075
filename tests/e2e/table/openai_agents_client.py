# /// script
# requires-python = ">=3.10"
# dependencies = ["openai-agents==0.24.0"]
# ///
from contextlib import asynccontextmanager

from agents.mcp import MCPServerSse, MCPServerStdio, MCPServerStreamableHttp
from row import STDIO, URL, rows, text_of

SERVERS = {
    "stdio": lambda: MCPServerStdio(STDIO, client_session_timeout_seconds=30),
    "http": lambda: MCPServerStreamableHttp({"url": URL["http"]}, client_session_timeout_seconds=30),
    "sse": lambda: MCPServerSse({"url": URL["sse"]}, client_session_timeout_seconds=30),
}


@asynccontextmanager
async def connect(transport, _form):
    async with SERVERS[transport]() as server:

        async def call(name, arguments):
            return text_of(await server.call_tool(name, arguments))

        yield [it.name for it in await server.list_tools()], call


rows(SERVERS, connect)
