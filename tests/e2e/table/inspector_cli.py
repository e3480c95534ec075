# /// script
# requires-python = ">=3.10"
# dependencies = []
# ///
"""The Inspector's command line: a process for each call."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

from row import BINARY, ENV, URL, rows

LAUNCHER = f"{os.environ['NODE_MODULES']}/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
STDIO = [BINARY, "serve", "-e", f"ROLECALL_STORE={ENV['ROLECALL_STORE']}", "-e", f"HOME={ENV['HOME']}"]  # it hands nothing on by itself
TARGETS = {"stdio": STDIO, **{it: [URL[it], "--transport", it] for it in ("http", "sse")}}


@asynccontextmanager
async def connect(transport, _form):
    async def inspect(*arguments):
        command = ["node", LAUNCHER, "--cli", *TARGETS[transport], *arguments]
        ran = await asyncio.create_subprocess_exec(*command, env=ENV, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, err = await ran.communicate()
        return out.decode() or err.decode()

    async def call(name, arguments):
        given = [it for key, value in arguments.items() for it in ("--tool-arg", f"{key}={value}")]
        return await inspect("--method", "tools/call", "--tool-name", name, *given)

    yield [it["name"] for it in json.loads(await inspect("--method", "tools/list"))["tools"]], call


rows(TARGETS, connect)
