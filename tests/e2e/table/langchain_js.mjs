// client: @langchain/mcp-adapters
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { rows, stdio, url } from "./row.mjs";

const servers = {
  stdio: { transport: "stdio", ...stdio },
  http: { transport: "http", url: url.http },
  sse: { transport: "sse", url: url.sse },
};

await rows(Object.keys(servers), async (transport) => {
  const client = new MultiServerMCPClient({ mcpServers: { rolecall: servers[transport] }, useStandardContentBlocks: true });
  const tools = Object.fromEntries((await client.getTools()).map((it) => [it.name, it]));
  const call = (name, args) => tools[name].invoke(args).then(JSON.stringify, String); // errors are thrown, with what the model reads
  return { tools: Object.keys(tools), call, close: () => client.close() };
});
