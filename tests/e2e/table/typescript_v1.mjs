// client: @modelcontextprotocol/sdk
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { rows, stdio, textOf, url } from "./row.mjs";

const transports = {
  stdio: () => new StdioClientTransport(stdio),
  http: () => new StreamableHTTPClientTransport(new URL(url.http)),
  sse: () => new SSEClientTransport(new URL(url.sse)),
};

await rows(Object.keys(transports), async (transport, person) => {
  const client = new Client({ name: "table", version: "1" }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, async (request) => person(request));
  await client.connect(transports[transport]());
  const { tools } = await client.listTools();
  const call = async (name, args) => textOf(await client.callTool({ name, arguments: args }));
  return { tools: tools.map((it) => it.name), call, close: () => client.close() };
});
