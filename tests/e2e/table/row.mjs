// The same as row.py, for clients in JavaScript: what each is put through, and the line that it prints for each of its transports.

import path from "node:path";

export const [binary, base] = process.argv.slice(2);
const client = path.basename(process.argv[1], ".mjs");
export const stdio = { command: binary, args: ["serve"], env: { ROLECALL_STORE: process.env.ROLECALL_STORE, HOME: process.env.HOME } };
export const url = { http: `${base}/mcp`, sse: `${base}/sse` };
export const textOf = (result) => result.content.map((it) => it.text ?? "").join("\n");

async function one(transport, connect) {
  const project = `Table ${client} ${transport}`;
  let asked = 0;
  const person = ({ params }) => {
    asked += 1;
    return { action: "accept", content: "name" in params.requestedSchema.properties ? { name: project } : { confirm: true } };
  };
  const { tools, call, close } = await connect(transport, person);
  try {
    const made = await call("create_project", { organization: "acme", name: project });
    const read = await call("list_projects", { query: project });
    const guarded = await call("delete_project", { project });
    return { project, tools, made, read, guarded, asked };
  } finally {
    await close();
  }
}

/** `connect(transport, person)` gives the names of the tools, `call(name, arguments)`, which answers a text, and `close()`. */
export async function rows(transports, connect) {
  for (const transport of transports) {
    let row;
    try {
      const patience = new Promise((_, reject) => setTimeout(() => reject(new Error("not finished after 60 s")), 60_000).unref());
      row = await Promise.race([one(transport, connect), patience]);
    } catch (error) {
      row = { fault: String(error) };
    }
    console.log("ROW " + JSON.stringify({ transport, ...row }));
  }
  process.exit(0);
}
