# /// script
# requires-python = ">=3.10"
# dependencies = ["fast-agent-mcp==0.2.36", "a2a-sdk<0.3", "pydantic<2.13"]
# ///
"""Its model `passthrough` calls the tool that a message names, so that no key is needed."""

import json
import tempfile
from contextlib import asynccontextmanager

from mcp_agent.core.fastagent import FastAgent
from row import STDIO, URL, rows

TARGETS = {"stdio": {"transport": "stdio", **STDIO}, "http": {"transport": "http", "url": URL["http"]}, "sse": {"transport": "sse", "url": URL["sse"]}}


@asynccontextmanager
async def connect(transport, _form):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        quiet = {"type": "none", "progress_display": False, "show_chat": False, "show_tools": False}
        json.dump({"logger": quiet, "mcp": {"servers": {"rolecall": TARGETS[transport]}}}, config)
        config.flush()
        fast = FastAgent("table", config_path=config.name, parse_cli_args=False)

        @fast.agent(name="caller", instruction="Call.", servers=["rolecall"], model="passthrough")
        async def unused():
            pass

        async with fast.run() as agents:

            async def call(name, arguments):
                return await agents.caller.send(f"***CALL_TOOL rolecall-{name} {json.dumps(arguments)}")

            tools = await agents.caller.list_tools()
            yield [it.name.removeprefix("rolecall-") for it in tools.tools], call


rows(TARGETS, connect)
