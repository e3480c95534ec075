// client: @modelcontextprotocol/client
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { rows, stdio, textOf, url } from "./row.mjs";

const transports = {
  stdio: () => new StdioClientTransport(stdio),
  http: () => new StreamableHTTPClientTransport(new URL(url.http)),
  sse: () => new SSEClientTransport(new URL(url.sse)),
};

await rows(Object.keys(transports), async (transport, person) => {
  const client = new Client({ name: "table", version: "1" }, { capabilities: { elicitation: {} }, versionNegotiation: { mode: "auto" } });
  client.setRequestHandler("elicitation/create", async (request) => person(request));
  await client.connect(transports[transport]());
  const { tools } = await client.listTools();
  const call = async (name, args) => textOf(await client.callTool({ name, arguments: args }));
  return { tools: tools.map((it) => it.name), call, close: () => client.close() };
});
