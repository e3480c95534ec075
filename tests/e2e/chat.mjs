// A question as a page inside of the chat, in a real browser: a small host that shows it as hosts do, in a sandboxed frame, and passes its
// calls on to the program over stdio.
//
//   node chat.mjs BINARY CHROMIUM SCREENSHOTS
//
// Each check is a line where it fails; the last line counts them.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Server } from "./stdio.mjs";

const [binary, executablePath, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const work = mkdtempSync(join(tmpdir(), "rolecall-chat-"));
mkdirSync(pictures, { recursive: true });
const env = { PATH: process.env.PATH, HOME: work, ROLECALL_STORE: `sqlite:${work}/d.db`, ROLECALL_SECRETS: `${work}/secrets` };
let passed = 0, failed = 0;
function check(what, fine, more = "") {
  if (fine) passed++;
  else { failed++; console.log(`FAILED: ${what}`, more); }
}
const pause = ms => new Promise(done => setTimeout(done, ms));
async function until(what, look, ms = 8000) {
  for (const end = Date.now() + ms; Date.now() < end; await pause(50)) { if (await look()) return check(what, true); }
  check(what, false, "it did not come about in time");
}

// The host: it answers the page's handshake, gives it arguments and result, and passes its calls of tools on.
const HOST = `<!doctype html><html><head><meta charset="utf-8"><style>body{margin:0}iframe{border:0;width:100%;height:900px;display:block}</style></head><body><script>
  const heard = [];
  function open(html, theme, args, result) {
    heard.length = 0;
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.title = "Rolecall";
    const send = it => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...it }, "*");
    onmessage = async event => {
      if (event.source !== frame.contentWindow) return;
      const it = event.data;
      heard.push(it);
      if (it.method === "ui/initialize") send({ id: it.id, result: { protocolVersion: "2026-01-26", hostInfo: { name: "host", version: "1" }, hostCapabilities: { serverTools: {} }, hostContext: { theme } } });
      else if (it.method === "ui/notifications/initialized") {
        send({ method: "ui/notifications/tool-input", params: { arguments: args } });
        send({ method: "ui/notifications/tool-result", params: result });
      } else if (it.method === "tools/call") {
        const told = await passOn(it.params.name, it.params.arguments);
        send(told.error ? { id: it.id, error: { code: -32000, message: told.error } } : { id: it.id, result: told });
      } else if (it.id !== undefined) send({ id: it.id, result: {} });
    };
    frame.srcdoc = html;
    document.body.replaceChildren(frame);
  }
</script></body></html>`;

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"] });
const servers = [];
try {
  spawnSync(binary, ["seed", "acme"], { env, cwd: work });
  // Neither shows forms; one shows pages.
  const plain = await new Server(binary, env, work).start("desk", {});
  const server = await new Server(binary, env, work).start("chat", { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } } });
  servers.push(plain.child, server.child);
  const listed = async it => (await it.ask("tools/list", {})).tools;
  check("who shows no pages is told of none", !JSON.stringify(await listed(plain)).includes("ui://"));
  const tools = await listed(server), uri = tools.find(it => it.name === "delete_project")._meta.ui.resourceUri;
  check("the tool of the page is for the page alone", JSON.stringify(tools.find(it => it.name === "answer_question")._meta.ui.visibility) === '["app"]');
  const [{ text: html, mimeType }] = (await server.ask("resources/read", { uri })).contents;
  check("the page is one of an app", mimeType === "text/html;profile=mcp-app");

  const context = await browser.newContext({ viewport: { width: 720, height: 900 } });
  const host = await context.newPage();
  await host.exposeFunction("passOn", (name, args) => server.call(name, args).catch(error => ({ error: error.message })));
  host.on("pageerror", error => check("no script fails", false, error.message));
  host.on("console", told => { if (/Content Security Policy|Refused to/.test(told.text())) check("the page's own policy forbids nothing of its own", false, told.text()); });
  host.on("request", it => { if (/^https?:/.test(it.url())) check("nothing is loaded", false, it.url()); });
  await host.setContent(HOST);
  const heard = method => host.evaluate(method => heard.filter(it => it.method === method), method);
  async function shown(tool, args, theme = "light") {
    const result = await server.call(tool, args);
    await host.evaluate(([html, theme, args, result]) => open(html, theme, args, result), [html, theme, args, result]);
    const frame = host.frameLocator("iframe");
    await frame.locator("h1, .pills").first().waitFor();
    return { frame, result };
  }
  async function audit(what) {
    const frame = host.frames().find(it => it !== host.mainFrame());
    await frame.evaluate(axe).catch(() => {});
    const found = await frame.evaluate(async () => (await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })).violations);
    check(`axe finds nothing: ${what}`, !found.length, JSON.stringify(found.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))])));
  }
  const shot = name => host.screenshot({ path: join(pictures, `${name}.png`) });

  let { frame, result } = await shown("delete_project", { project: "Atlas" });
  const state = result._meta["rolecall/question"].state;
  check("what the model reads holds nothing of what an answer needs", !JSON.stringify([result.content, result.structuredContent]).includes(state.slice(0, 40)));
  check("the facts are there", (await frame.locator("h1").textContent()) === "Delete project: Atlas?" && await frame.getByText("Cannot be undone", { exact: true }).isVisible());
  await frame.getByText(/by name/).first().click();
  check("all who lose something can be searched", await frame.locator("details tbody tr").count() > 5);
  await frame.locator("input[type=search]").fill("ana.ruiz");
  check("and are found", await frame.locator("details tbody tr:visible").count() === 1);
  await shot("chat-question");
  await audit("question");
  await until("the host is told how high it is", async () => (await heard("ui/notifications/size-changed")).some(it => it.params.height > 200));
  const agree = frame.locator("#agree");
  check("the button says what it does, and is disabled at first", (await agree.textContent()) === "Delete project" && await agree.isDisabled());
  await frame.locator("#typed").fill("atlas");
  await host.keyboard.press("Enter");
  await pause(200);
  check("a wrong name sends nothing", await agree.isDisabled() && !(await heard("tools/call")).length);
  await frame.locator("#typed").fill("Atlas");
  await agree.click();
  await until("it is made", () => frame.getByText("Done", { exact: true }).isVisible());
  await until("the assistant is told, and nothing that an answer needs", async () => {
    const told = await heard("ui/update-model-context");
    return told.length === 1 && !JSON.stringify(told).includes(state.slice(0, 40));
  });
  check("once", (await server.call("answer_question", { state, agree: true, name: "Atlas" })).structuredContent.code === "confirmation_rejected");
  await shot("chat-done");

  ({ frame } = await shown("delete_project", { project: "Cobalt" }, "dark"));
  check("it is dark where the chat is", await host.frames()[1].evaluate(() => getComputedStyle(document.body).backgroundColor) === "rgb(23, 26, 32)");
  await shot("chat-dark");
  await audit("dark");
  await frame.getByText("Refuse…").click();
  await frame.locator("#reason").fill("Still used");
  await frame.locator("#refuse").click();
  await until("it is refused", () => frame.getByText("Refused", { exact: true }).isVisible());
  check("the assistant is told the reason", (await server.call("delete_project", { project: "Cobalt" })).structuredContent.message.includes("Still used"));

  const steps = ["Ember", "Kestrel"].map(project => ({ tool: "delete_project", arguments: { project } }));
  ({ frame } = await shown("apply_changes", { steps }));
  check("a plan is shown row by row", await frame.locator("table").last().locator("tbody tr").count() === 2);
  await shot("chat-plan");
  await audit("plan");
  ({ frame } = await shown("apply_changes", { steps, dry_run: true }));
  check("a plan that nobody is asked about yet takes no answer", await frame.getByText("A plan; nothing was changed").isVisible() && !await frame.locator("#answer").count());
  await host.setViewportSize({ width: 360, height: 740 });
  ({ frame } = await shown("offboard_person", { member: "ana.ruiz@acme.example" }));
  check("it fits into 360 pixels", await host.frames()[1].evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await shot("chat-360");
  await audit("360");

  // Names are text, whatever they are, and a page that speaks out of turn is not heard.
  await server.call("create_project", { organization: "acme", name: '<img src=x onerror="window.hacked=1">' });
  ({ frame } = await shown("delete_project", { project: '<img src=x onerror="window.hacked=1">' }));
  check("a hostile name runs nothing", !(await host.frames()[1].evaluate(() => window.hacked)) && !(await frame.locator("img").count()));
  const before = (await heard("tools/call")).length;
  await host.frames()[1].evaluate(() => { window.postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-result", params: { structuredContent: { status: "done", target: { name: "forged" } } } }, "*"); });
  await pause(200);
  check("only the chat itself is listened to", !(await frame.locator("main").textContent()).includes("forged") && (await heard("tools/call")).length === before);
} catch (error) {
  check("all of it is tried", false, error.stack);
} finally {
  await browser.close();
  for (const it of servers) it.kill();
  await pause(200);
  rmSync(work, { recursive: true, force: true });
}
console.log(`questions inside of the chat, in a browser: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
