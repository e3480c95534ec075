// client: @ai-sdk/mcp
import { createMCPClient, ElicitationRequestSchema } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport as Stdio } from "@ai-sdk/mcp/mcp-stdio";
import { rows, stdio, textOf, url } from "./row.mjs";

const transports = {
  stdio: () => new Stdio(stdio),
  http: () => ({ type: "http", url: url.http }),
  sse: () => ({ type: "sse", url: url.sse }),
};

await rows(Object.keys(transports), async (transport, person) => {
  const client = await createMCPClient({ transport: transports[transport](), capabilities: { elicitation: {} } });
  client.onElicitationRequest(ElicitationRequestSchema, person);
  const tools = await client.tools();
  const call = async (name, args) => textOf(await tools[name].execute(args, { toolCallId: name, messages: [] }));
  return { tools: Object.keys(tools), call, close: () => client.close() };
});
