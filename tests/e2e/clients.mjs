// The official TypeScript clients against a running server: every transport; v1 speaks the older era, v2 both.
//
// usage: node clients.mjs BINARY BASE_URL    (ROLECALL_STORE names the seeded store that the server at BASE_URL uses)

import { createRequire } from "node:module";
import * as v2 from "@modelcontextprotocol/client";
import * as v2stdio from "@modelcontextprotocol/client/stdio";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as V1Sse } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as V1Stdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as V1Http } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [binary, base] = process.argv.slice(2);
const child = { command: binary, args: ["serve"], env: { ROLECALL_STORE: process.env.ROLECALL_STORE, HOME: process.env.HOME } };
const info = { name: "rolecall-e2e", version: "1.0.0" };
const version = (name) => createRequire(import.meta.url)(`./node_modules/${name}/package.json`).version;

const transports = {
  stdio: { v1: () => new V1Stdio(child), v2: () => new v2stdio.StdioClientTransport(child) },
  http: { v1: () => new V1Http(new URL(`${base}/mcp`)), v2: () => new v2.StreamableHTTPClientTransport(new URL(`${base}/mcp`)) },
  sse: { v1: () => new V1Sse(new URL(`${base}/sse`)), v2: () => new v2.SSEClientTransport(new URL(`${base}/sse`)) },
};

let passed = 0;
let failed = 0;
function check(what, holds, seen) {
  if (holds) return void passed++;
  failed++;
  console.log(`FAILED ${what}: ${seen instanceof Error ? seen.stack : JSON.stringify(seen)}`);
}

/** Connects; `person` answers the server's questions, and without one the client cannot be asked. */
async function connect({ sdk, transport, mode }, person) {
  const capabilities = person ? { elicitation: {} } : {};
  const client =
    sdk === "v1" ? new V1Client(info, { capabilities }) : new v2.Client(info, { capabilities, versionNegotiation: { mode } });
  if (person) client.setRequestHandler(sdk === "v1" ? ElicitRequestSchema : "elicitation/create", (request) => person.answer(request));
  await client.connect(transports[transport][sdk]());
  return client;
}

class Person {
  constructor(manner, name = "") {
    Object.assign(this, { manner, name, questions: [] });
  }
  answer({ params }) {
    this.questions.push(params.message);
    if (this.manner === "decline" || this.manner === "cancel") return { action: this.manner };
    const yes = this.manner === "accept";
    const byName = "name" in params.requestedSchema.properties;
    return { action: "accept", content: byName ? { name: yes ? this.name : `not ${this.name}` } : { confirm: yes } };
  }
}

async function using(how, person, work) {
  const client = await connect(how, person);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const call = (client, name, args = {}) => client.callTool({ name, arguments: args });
const there = async (client, project) =>
  (await call(client, "list_projects", { query: project })).structuredContent.items.some((one) => one.project === project);

async function reads(label, client) {
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  check(`${label}: the list has the tools`, names.includes("list_projects") && names.includes("delete_project"), names);
  check(`${label}: a destructive tool says so`, tools.find((tool) => tool.name === "delete_project").annotations?.destructiveHint, names);
  const answer = await call(client, "list_projects");
  check(`${label}: a read answers with a list`, !answer.isError && answer.structuredContent.items.length > 0, answer);
  check(`${label}: and with text`, answer.content[0]?.text, answer);
  const wrong = await call(client, "list_projects", { colour: "red" });
  check(`${label}: an unknown argument is an error that the model reads`, wrong.isError, wrong);
  const unknown = await call(client, "no_such_tool").catch((error) => error);
  check(`${label}: an unknown tool is a protocol error`, unknown.code === -32602, unknown);
}

async function surroundings(label, client) {
  const { prompts } = await client.listPrompts();
  check(`${label}: there are prompts`, prompts.length > 0, prompts);
  for (const prompt of prompts) {
    const args = Object.fromEntries((prompt.arguments ?? []).map((argument) => [argument.name, "Atlas"]));
    const text = await client.getPrompt({ name: prompt.name, arguments: args });
    check(`${label}: prompt ${prompt.name} has a message`, text.messages.length > 0, text);
  }
  const { resources } = await client.listResources();
  check(`${label}: there are resources`, resources.length > 0, resources);
  for (const { uri } of resources) {
    const { contents } = await client.readResource({ uri });
    check(`${label}: resource ${uri} has contents`, contents.length > 0, contents);
  }
  const { resourceTemplates } = await client.listResourceTemplates();
  check(`${label}: there are templates`, resourceTemplates.length > 0, resourceTemplates);
  for (const prompt of prompts) {
    for (const argument of prompt.arguments ?? []) {
      const found = await client.complete({ ref: { type: "ref/prompt", name: prompt.name }, argument: { name: argument.name, value: "" } });
      const wanted = { project: "Atlas", organization: "Acme" }[argument.name] ?? "";
      const fits = wanted === "" || found.completion.values.some((value) => value.includes(wanted));
      check(`${label}: ${argument.name} of ${prompt.name} completes`, fits, found);
    }
  }
}

async function guarded(label, how) {
  const project = `E2E ${how.sdk} ${how.transport} ${how.era}`;
  await using(how, new Person("accept", project), async (client) => {
    const made = await call(client, "create_project", { organization: "acme", name: project });
    check(`${label}: a project is created`, !made.isError, made);
  });
  for (const [manner, code] of [["decline", "declined"], ["cancel", "cancelled"], ["mistype", "wrong_confirmation"]]) {
    const person = new Person(manner, project);
    await using(how, person, async (client) => {
      await client.listTools(); // The clients check results against the output schema only of tools that they have listed.
      const answer = await call(client, "delete_project", { project });
      check(`${label}: ${manner} is an error`, answer.isError && answer.structuredContent.code === code, answer);
      check(`${label}: ${manner} was asked once, by name`, person.questions.length === 1 && person.questions[0].includes(project), person.questions);
      check(`${label}: ${manner} deletes nothing`, await there(client, project));
    });
  }
  await using(how, null, async (client) => {
    const answer = await call(client, "delete_project", { project });
    const waits = answer.isError && answer.structuredContent.code === "pending_approval";
    check(`${label}: who cannot be asked waits for an approval`, waits, answer);
    check(`${label}: and deletes nothing`, await there(client, project));
    const again = await call(client, "delete_project", { project });
    check(`${label}: and a repeated call deletes nothing`, again.isError && (await there(client, project)), again);
    const dry = await call(client, "delete_project", { project, dry_run: true });
    check(`${label}: a dry run deletes nothing`, !dry.isError && (await there(client, project)), dry);
  });
  // Asked under another name, or the approval that waits would be answered first.
  const renamed = `${project} renamed`;
  const person = new Person("accept", renamed);
  await using(how, person, async (client) => {
    await client.listTools();
    await call(client, "update_project", { project, name: renamed });
    const answer = await call(client, "delete_project", { project: renamed });
    const done = !answer.isError && answer.structuredContent.status === "done";
    check(`${label}: who types the name deletes`, done && person.questions.length === 1, answer);
    check(`${label}: and the project is gone`, !(await there(client, renamed)));
  });
  // Where less is at stake a yes is enough, but it has to be one.
  const team = `${project} team`;
  for (const manner of ["mistype", "accept"]) {
    const person = new Person(manner);
    await using(how, person, async (client) => {
      await client.listTools();
      if (manner === "mistype") await call(client, "create_team", { organization: "acme", name: team });
      const answer = await call(client, "delete_team", { team });
      check(`${label}: ${manner} without a name to type`, person.questions.length === 1 && !answer.isError === (manner === "accept"), answer);
      const left = (await call(client, "list_teams", { query: team })).structuredContent.items;
      check(`${label}: ${manner} leaves ${left.length} teams`, left.length === (manner === "mistype" ? 1 : 0), left);
    });
  }
}

async function combination(label, how) {
  await using(how, new Person("decline"), async (client) => {
    if (how.sdk === "v2") check(`${label}: the revision is agreed`, client.getNegotiatedProtocolVersion() === how.era, how.era);
    await reads(label, client);
    await surroundings(label, client);
  });
  await guarded(label, how);
}

function patience(seconds) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`not finished after ${seconds} s`)), seconds * 1000).unref());
}

async function run(title, sdk, eras) {
  passed = failed = 0;
  for (const transport of Object.keys(transports)) {
    for (const [era, mode] of eras) {
      const label = `${transport} ${era}`;
      try {
        await Promise.race([combination(label, { sdk, transport, era, mode }), patience(120)]);
      } catch (error) {
        check(`${label}: it broke off`, false, error);
      }
    }
  }
  console.log(`${title}: ${passed} passed, ${failed} failed`);
  return failed;
}

const legacy = ["2025-11-25", "legacy"];
const modern = ["2026-07-28", { pin: "2026-07-28" }];
let wrong = await run(`typescript client v1 (sdk ${version("@modelcontextprotocol/sdk")})`, "v1", [legacy]);
wrong += await run(`typescript client v2 (client ${version("@modelcontextprotocol/client")})`, "v2", [legacy, modern]);
process.exit(wrong ? 1 : 0);
