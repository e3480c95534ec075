"""The vendors' own converters over the whole list of tools: full and compact, with one account and with one at each provider.

usage: sdk.py BINARY

What hosts hand to a model went through one of these. None may refuse a tool, lose an argument on the way, or leave an object that
can only be empty: an object whose fields nobody can list has to stay a text as well.
"""

import copy
import importlib.metadata
import json
import logging
import os
import subprocess
import sys
import tempfile

import mcp_types
from agents.mcp import MCPServerStdio, MCPUtil
from agents.strict_schema import ensure_strict_json_schema
from anthropic import transform_schema
from anthropic.lib.tools.mcp import mcp_tool
from checks import check, end
from google.genai._mcp_utils import agent_platform_to_gemini_tool, mcp_to_gemini_tool

BINARY = sys.argv[1]
FIVE = """
[connections.local]
provider = "local"
[connections.geai]
provider = "geai"
base_url = "http://127.0.0.1:9"
api_key = { env = "ANY_KEY" }
[connections.openai]
provider = "openai"
api_key = { env = "ANY_KEY" }
[connections.seeme]
provider = "seeme"
api_key = { env = "ANY_KEY" }
[connections.engine]
provider = "engine"
base_url = "http://127.0.0.1:9"
custom_token = { env = "ANY_KEY" }
"""


def lists():
    with tempfile.TemporaryDirectory() as folder:
        five = os.path.join(folder, "five.toml")
        with open(five, "w") as file:
            file.write(FIVE)
        environment = {"HOME": folder, "ANY_KEY": "any"}
        for accounts, config in (("one account", []), ("five accounts", ["--config", five])):
            for size, flag in (("full", []), ("compact", ["--compact"])):
                out = subprocess.run([BINARY, "tools", "--json", *config, *flag], env=environment, capture_output=True, check=True)
                yield f"{size}, {accounts}", json.loads(out.stdout)["tools"]


def fields(schema):
    """The names of all arguments, however deep, whatever the dialect calls an array's items."""
    names = []
    for name, inner in (schema.get("properties") or {}).items():
        names.append(name)
        names += [f"{name}.{it}" for it in fields(inner)]
    return names + (fields(schema["items"]) if schema.get("items") else [])


def choices(schema):
    return schema.get("anyOf") or schema.get("any_of") or []


def kind(schema):
    return str(schema.get("type", "")).lower()


def dead_ends(schema, root=True):
    """Objects without fields that cannot be given in another way."""
    ends = []
    if kind(schema) == "object" and not schema.get("properties") and not root:
        ends.append(schema)
    if choices(schema) and not any(kind(it) == "string" for it in choices(schema)):
        ends.append(schema)
    for inner in (schema.get("properties") or {}).values():
        ends += dead_ends(inner, False)
    return ends + (dead_ends(schema["items"], False) if schema.get("items") else [])


def is_open(schema):
    here = any(kind(it) == "object" for it in choices(schema))
    return here or any(is_open(it) for it in (schema.get("properties") or {}).values()) or ("items" in schema and is_open(schema["items"]))


def converted(label, convert, tools):
    """Converts each tool; answers nothing where all came through whole."""
    faults = []
    for tool in tools:
        try:
            schema = convert(tool)
        except Exception as error:
            faults.append(f"{tool['name']}: {error!r}"[:300])
            continue
        if sorted(fields(schema)) != sorted(fields(tool["inputSchema"])):
            faults.append(f"{tool['name']}: arguments got lost: {fields(schema)}")
        faults += [f"{tool['name']}: {it} can only be empty" for it in dead_ends(schema)]
    check(f"{label}: {len(tools)} tools come through whole", not faults, faults)


def gemini(tool):
    declaration = mcp_to_gemini_tool(mcp_types.Tool.model_validate(tool)).function_declarations[0]
    assert declaration.name == tool["name"] and declaration.description == tool["description"]
    return declaration.parameters.model_dump(exclude_none=True, mode="json") if declaration.parameters else {}


def platform(tool):
    return agent_platform_to_gemini_tool(mcp_types.Tool.model_validate(tool)).function_declarations[0].parameters_json_schema


def anthropic_tool(tool):
    made = mcp_tool(mcp_types.Tool.model_validate(tool), None).to_dict()
    assert made["name"] == tool["name"] and made["description"] == tool["description"]
    return made["input_schema"]


def anthropic_strict(tool):
    return transform_schema(copy.deepcopy(tool["inputSchema"]))


def openai_strict(tool):
    return ensure_strict_json_schema(copy.deepcopy(tool["inputSchema"]))


def openai_agents(tool):
    server = MCPServerStdio(params={"command": BINARY, "args": ["serve"]})
    made = MCPUtil.to_function_tool(mcp_types.Tool.model_validate(tool), server, convert_schemas_to_strict=True)
    # Strict is whatever says all of its fields; the others are handed on as they are.
    whole = bool(tool["inputSchema"]["properties"]) and not is_open(tool["inputSchema"])
    assert made.strict_json_schema == whole, f"strict is {made.strict_json_schema}"
    assert whole or made.params_json_schema == tool["inputSchema"]
    return made.params_json_schema


logging.disable(logging.INFO)
for name, tools in lists():
    check(f"{name}: there are tools", len(tools) > 8, len(tools))
    refused = [tool["name"] for tool in tools if "additionalProperties" in tool["inputSchema"]]
    check(f"{name}: no top level says additionalProperties, which a widespread converter refuses", not refused, refused)
    for label, convert in (
        ("google-genai", gemini),
        ("google-genai, agent platform", platform),
        ("anthropic", anthropic_tool),
        ("anthropic, strict", anthropic_strict),
        ("openai, strict", openai_strict),
        ("openai-agents", openai_agents),
    ):
        converted(f"{name}: {label}", convert, tools)
versions = ", ".join(f"{it} {importlib.metadata.version(it)}" for it in ("google-genai", "anthropic", "openai-agents"))
end(f"converters ({versions})")
