# /// script
# requires-python = ">=3.10"
# dependencies = ["langchain-mcp-adapters==0.3.2"]
# ///
from contextlib import asynccontextmanager

from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult
from row import STDIO, URL, rows

TARGETS = {
    "stdio": {"transport": "stdio", **STDIO},
    "http": {"transport": "streamable_http", "url": URL["http"]},
    "sse": {"transport": "sse", "url": URL["sse"]},
}


@asynccontextmanager
async def connect(transport, form):
    async def person(_session, params, _context):
        return ElicitResult(action="accept", content=form(params.requestedSchema))

    client = MultiServerMCPClient({"rolecall": TARGETS[transport]}, callbacks=Callbacks(on_elicitation=person))
    tools = {it.name: it for it in await client.get_tools()}

    async def call(name, arguments):
        return str(await tools[name].ainvoke(arguments))

    yield list(tools), call


rows(TARGETS, connect)
