# /// script
# requires-python = ">=3.10"
# dependencies = ["google-genai==3.6.1", "mcp==1.30.0"]
# ///
"""Its adapter converts all tools for the model, and makes the calls that the model's answer names."""

from contextlib import asynccontextmanager

from google.genai._adapters import McpToGenAiToolAdapter
from google.genai.types import FunctionCall
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import ElicitResult
from row import STDIO, URL, rows, text_of

STREAMS = {"stdio": lambda: stdio_client(StdioServerParameters(**STDIO)), "http": lambda: streamablehttp_client(URL["http"])}


@asynccontextmanager
async def connect(transport, form):
    async def person(_, params):
        return ElicitResult(action="accept", content=form(params.requestedSchema))

    async with STREAMS[transport]() as streams, ClientSession(*streams[:2], elicitation_callback=person) as session:
        await session.initialize()
        adapter = McpToGenAiToolAdapter(session, await session.list_tools())

        async def call(name, arguments):
            return text_of(await adapter.call_tool(FunctionCall(name=name, args=arguments)))

        yield [it.name for tool in adapter.tools for it in tool.function_declarations], call


rows(STREAMS, connect)
