// The console in a real browser: a person who signs in, decides and looks; and what others try.
//
//   node console.mjs BINARY CHROMIUM SCREENSHOTS
//
// The program runs at a pseudo terminal (util-linux's `script`), since it gives its link to a person only. Each check is a line where it
// fails; the last line counts them.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Server } from "./stdio.mjs";

const [binary, executablePath, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const work = mkdtempSync(join(tmpdir(), "rolecall-console-"));
mkdirSync(pictures, { recursive: true });
const env = { PATH: process.env.PATH, HOME: work, TERM: "xterm", ROLECALL_STORE: `sqlite:${work}/d.db`, ROLECALL_SECRETS: `${work}/secrets` };
const children = [];
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

// An assistant whose client shows no forms.
function call(tool, args) {
  const words = Object.entries(args).flatMap(([name, value]) => [`--${name}`, typeof value === "string" ? value : JSON.stringify(value)]);
  const ran = spawnSync(binary, ["call", tool, ...words, "--output", "json"], { env, cwd: work, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return { status: ran.status, text: ran.stdout + ran.stderr };
}
function asks(tool, args) {
  const told = call(tool, args);
  const id = told.text.match(/\/q\/([0-9a-z]{6})/)?.[1];
  if (!id) throw new Error(`${tool} does not wait: ${told.status} ${told.text}`);
  return id;
}

// `rolecall console` at a terminal of its own; answers the link that it prints.
async function atTerminal(...args) {
  const child = spawn("script", ["-qfec", [binary, "console", ...args].map(it => `'${it}'`).join(" "), "/dev/null"], { env, cwd: work });
  children.push(child);
  let out = "";
  child.stdout.on("data", some => { out += some; });
  for (let at = 0; at < 200 && !/sign-in#[0-9a-f]{40}/.test(out); at++) await pause(50);
  const link = out.match(/http:\/\/\S+\/sign-in#[0-9a-f]{40}/)?.[0];
  if (!link) throw new Error(`no link: ${out}`);
  return link;
}

async function page(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const it = await context.newPage();
  it.on("pageerror", error => check("no script fails", false, error.message));
  it.on("console", told => { if (/Content Security Policy|Refused to/.test(told.text())) check("the policy forbids nothing of our own", false, told.text()); });
  return it;
}
async function audit(it, what) {
  // Past the policy of the page, which lets in no script but its own.
  await it.evaluate(axe).catch(() => {});
  const found = await it.evaluate(async () => (await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })).violations);
  check(`axe finds nothing: ${what}`, !found.length, JSON.stringify(found.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))])));
}
const shot = (it, name) => it.screenshot({ path: join(pictures, `${name}.png`) });
const fits = it => it.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

async function signingIn(browser, base, link) {
  const stranger = await page(browser);
  const shown = await stranger.goto(`${base}/console/`);
  check("without a cookie, nothing is shown but the sign-in", shown.status() === 401 && await stranger.getByRole("heading", { name: "Sign in" }).isVisible());
  await shot(stranger, "sign-in");
  await audit(stranger, "sign-in");
  const person = await page(browser);
  await person.goto(link);
  await person.waitForURL("**/console/");
  check("the link signs in, and its code is not in the address", !person.url().includes("#"));
  await stranger.goto(link);
  await stranger.getByRole("alert").waitFor();
  check("a stolen link used twice signs in nobody", (await stranger.textContent("[role=alert]")).includes("used before"));
  await stranger.goto(`${base}/console/`);
  check("and shows nothing", await stranger.getByRole("heading", { name: "Sign in" }).isVisible());
  await stranger.context().close();
  return person;
}

async function deciding(browser, base, person) {
  await until("an empty page teaches", () => person.getByText("Nothing waits.").isVisible());
  const atlas = asks("delete_project", { project: "Atlas" });
  await until("what waits appears by itself", () => person.getByRole("link", { name: /Delete project: Atlas/ }).isVisible());
  await until("and is counted", async () => (await person.textContent("#count")) === "1" && (await person.title()).startsWith("(1)"));
  asks("update_organization_member", { organization: "acme", member: "jonas.weber@acme.example", role: "admin" });
  asks("delete_organization", { organization: "acme" });
  await until("the gravest stands first", async () => (await person.locator("a.item").first().textContent()).includes("Delete organization"));
  await shot(person, "waiting");
  await audit(person, "waiting");

  await person.getByRole("link", { name: /Delete project: Atlas/ }).click();
  await person.getByRole("heading", { name: "Delete project: Atlas?" }).waitFor();
  await person.waitForLoadState();
  const button = person.locator("[data-agree]");
  check("the button says what it does, and is disabled at first", (await button.textContent()) === "Delete project" && await button.isDisabled());
  check("it is not focused by default", await person.evaluate(() => document.activeElement === document.body || document.activeElement.tagName === "MAIN"));
  const losing = person.locator("section", { has: person.getByRole("heading", { name: "13 people lose access" }) });
  check("all who lose it are there by name", await losing.locator("tbody tr").count() === 13, await losing.locator("tbody tr").count());
  await losing.locator("input").fill("ana.ruiz");
  check("and can be searched", await losing.locator("tbody tr:visible").count() === 1);
  await losing.locator("input").fill("");
  check("all who reach it are there", await person.locator("#reached tbody tr").count() >= 13, await person.locator("#reached tbody tr").count());
  await person.locator("[data-filter=reached]").fill("ana ruiz");
  check("and can be searched", await person.locator("#reached tbody tr:visible").count() < 6 && await person.locator("#reached tbody tr:visible").count() > 0);
  await person.locator("[data-filter=reached]").fill("");
  await person.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await shot(person, "question");
  await audit(person, "question");
  await person.fill("#typed", "atlas");
  check("a wrong name leaves the button disabled", await button.isDisabled());
  await person.keyboard.press("Enter");
  await person.keyboard.press("Escape");
  await pause(200);
  check("neither Enter nor Escape agrees with a wrong name", call("delete_project", { project: "Atlas" }).status === 3);
  await person.fill("#typed", "Atlas");
  check("the right name enables it", await button.isEnabled());
  await button.click();
  await until("it is agreed to", () => person.getByText("Agreed", { exact: true }).isVisible());
  const made = call("delete_project", { project: "Atlas" });
  check("the repeated call runs", made.status === 0 && made.text.includes('"done"'), made.text);
  check("and runs once", !call("delete_project", { project: "Atlas" }).text.includes('"status": "done"'));

  // What it would do has changed since, and the question with it.
  await person.goto(`${base}/console/q/${asks("delete_organization", { organization: "acme" })}`);
  await person.getByText("Refuse…").click();
  await person.fill("#reason", "We still need Acme");
  await person.getByRole("button", { name: "Refuse", exact: true }).click();
  await until("it is refused", () => person.getByText("Refused", { exact: true }).isVisible());
  const told = call("delete_organization", { organization: "acme" });
  check("the assistant is told the reason", told.text.includes("a person rejected this change: We still need Acme"), told.text);

  // Answered elsewhere while it is open here; two people at once.
  const cobalt = asks("delete_project", { project: "Cobalt" });
  const other = await (await browser.newContext({ storageState: await person.context().storageState() })).newPage();
  await person.goto(`${base}/console/q/${cobalt}`);
  await other.goto(`${base}/console/q/${cobalt}`);
  await person.fill("#typed", "Cobalt");
  await other.fill("#typed", "Cobalt");
  await Promise.all([person, other].map(it => it.evaluate(() => document.querySelector("[data-agree]")?.click())));
  await until("two who answer at once are both told", async () => (await Promise.all([person, other].map(it => it.locator("[data-standing=approved]").count()))).every(Boolean));
  const borealis = asks("delete_project", { project: "Borealis" });
  await person.goto(`${base}/console/q/${borealis}`);
  await other.goto(`${base}/console/q/${borealis}`);
  await other.getByText("Refuse…").click();
  await other.getByRole("button", { name: "Refuse", exact: true }).click();
  await until("what was answered elsewhere is told on the open page, and can be answered no more", async () =>
    await person.locator("[data-standing=refused]").count() === 1 && await person.locator("[data-answering]").count() === 0);
  await other.context().close();

  // Its time is over while it is open.
  const ember = asks("delete_project", { project: "Ember" });
  await person.goto(`${base}/console/q/${ember}`);
  await person.fill("#typed", "Ember");
  spawnSync("python3", ["-c", `import sqlite3; c = sqlite3.connect("${work}/d.db", timeout=10); c.execute("UPDATE approvals SET expires_at = created_at + 1 WHERE id = ?", ("${ember}",)); c.commit()`]);
  await until("what expires while it is open can be answered no more", async () =>
    await person.locator("[data-standing=expired]").count() === 1 && await person.locator("[data-answering]").count() === 0);
  check("and is not made", call("delete_project", { project: "Ember" }).status === 3);
}

// Claude Desktop shows no forms and opens no addresses: two clicks and a typed name, and its repeated call runs once.
async function withoutForms(base, person) {
  const desktop = await new Server(binary, env, work).start(`<b>${"z".repeat(10000)}`, {});
  children.push(desktop.child);
  const told = (await desktop.call("delete_project", { project: "Juniper" })).structuredContent;
  check("it is told the address", told.code === "pending_approval" && told.address.startsWith(`${base}/console/q/`), JSON.stringify(told));
  await person.goto(`${base}/console/`);
  let clicks = 0;
  const click = async it => { clicks++; await it.click(); };
  await click(person.getByRole("link", { name: /Delete project: Juniper/ }));
  await person.locator("#typed").waitFor();
  check("what a client calls itself is text, and not long", await fits(person) && !(await person.locator("main b").allTextContents()).some(it => it.startsWith("zz")));
  await person.locator("#typed").pressSequentially("Juniper");
  await click(person.locator("[data-agree]"));
  await person.locator("[data-standing=approved]").waitFor();
  check("two clicks and a typed name", clicks === 2);
  const made = (await desktop.call("delete_project", { project: "Juniper" })).structuredContent;
  check("the repeated call is made", made.status === "done", JSON.stringify(made));
  check("once", (await desktop.call("delete_project", { project: "Juniper" })).structuredContent.status !== "done");

  // By keys alone: open, type, agree.
  const other = (await desktop.call("delete_team", { team: "Security" })).structuredContent;
  check("a team waits, too", other.code === "pending_approval", JSON.stringify(other));
  await person.goto(`${base}/console/`);
  await person.keyboard.press("j");
  await person.keyboard.press("Enter");
  await person.waitForURL("**/console/q/*");
  await person.locator("[data-agree]").waitFor();
  const onto = what => person.evaluate(what => document.activeElement?.matches(what), what);
  for (let at = 0; at < 80 && !await onto("#typed, [data-agree]"); at++) await person.keyboard.press("Tab");
  if (await onto("#typed")) {
    await person.keyboard.type(await person.locator("[data-must]").getAttribute("data-must"));
    await person.keyboard.press("Tab");
  }
  check("the keyboard comes to the button", await onto("[data-agree]"));
  await person.keyboard.press("Enter");
  await until("and agrees", async () => await person.locator("[data-standing=approved]").count() === 1);
}

async function plansAndJobs(base, person) {
  const steps = [{ tool: "add_project_member", arguments: { project: "Ember", member: "mei.tanaka@acme.example", roles: ["member"] } }, { tool: "delete_project", arguments: { project: "Ember" } }];
  const plan = asks("apply_changes", { steps });
  await person.goto(`${base}/console/q/${plan}`);
  check("a plan is shown row by row", await person.locator("#plan tbody tr").count() === 2);
  await shot(person, "plan");
  await audit(person, "plan");
  const all = [...new Set(call("list_organization_members", { organization: "acme", limit: "100" }).text.match(/[\w.]+@acme\.example/g))];
  const people = all.slice(0, 30).map(member => ({ project: "Ember", member, roles: ["member"] }));
  let told = call("add_project_members", { people });
  const id = told.text.match(/\/q\/([0-9a-z]{6})/)?.[1];
  if (id) {
    await person.goto(`${base}/console/q/${id}`);
    const must = await person.locator("[data-must]").count() ? await person.locator("[data-must]").getAttribute("data-must") : null;
    if (must) await person.fill("#typed", must);
    await person.locator("[data-agree]").click();
    await person.locator("[data-standing=approved]").waitFor();
    await person.goto(`${base}/console/jobs`);
    told = call("add_project_members", { people });
  }
  await person.goto(`${base}/console/jobs`);
  await until("a job is listed", () => person.locator("a.item").first().isVisible());
  await person.locator("a.item").first().click();
  await until("and watched to its end", async () => await person.locator("[data-job=done]").count() === 1, 20000);
  await shot(person, "job");
  await audit(person, "job");
}

async function looking(browser, base, person) {
  for (const [name, path] of [["activity", "/console/activity"], ["jobs", "/console/jobs"], ["access", "/console/access"],
    ["person", "/console/access/person?name=ana.ruiz%40acme.example"], ["connections", "/console/connections"], ["project", "/console/access/project?name=Ember"]]) {
    await person.goto(base + path);
    await pause(150);
    await shot(person, name);
    await audit(person, name);
  }
  await person.goto(`${base}/console/activity`);
  check("the ledger tells who agreed", (await person.locator("table.wide").textContent()).includes("Delete") || (await person.locator("table.wide").textContent()).includes("delete project"));
  await person.getByRole("button", { name: "Verify the ledger" }).click();
  await until("the ledger is verified, with the head to keep", async () => /[0-9a-f]{64}/.test(await person.textContent("main")));
  await person.goto(`${base}/console/access`);
  const rows = await person.locator("#mx tbody tr:visible").count();
  await person.locator("[data-only=power]").click();
  check("only power is shown", await person.locator("#mx tbody tr:visible").count() < rows);

  // What a review finds is planned from its page, and asked about like everything.
  await person.goto(`${base}/console/access/findings?connection=local&organization=Acme`);
  await shot(person, "findings");
  await audit(person, "findings");
  const plans = person.getByRole("button", { name: /^Plan: / });
  check("findings have a call that mends them", await plans.count() > 0);
  const counted = async () => (await (await person.request.get(`${base}/console/activity`)).text()).split("<tr>").length;
  const then = await counted();
  await plans.first().click();
  await person.getByRole("heading", { name: "Mend it?" }).waitFor();
  await audit(person, "plan of a mend");
  check("a plan changes nothing", await counted() === then);
  await person.locator("main button[type=submit]").click();
  await until("and it goes the way of every change", async () => /\/console\/q\//.test(person.url()) || await person.getByRole("heading", { name: "Mended" }).isVisible());

  // Keyboard only.
  await person.goto(`${base}/console/`);
  await person.keyboard.press("4");
  await person.waitForURL("**/jobs");
  await person.keyboard.press("j");
  await person.keyboard.press("Enter");
  await person.waitForURL("**/jobs/job*");
  await person.keyboard.press("?");
  check("? tells the keys", await person.locator("#keys").isVisible());
  await audit(person, "keys");
  await person.keyboard.press("Escape");
  check("Escape closes them", !await person.locator("#keys").isVisible());
  await person.keyboard.press("2");
  await person.waitForURL("**/access*");
  await person.keyboard.press("/");
  check("/ filters", await person.evaluate(() => document.activeElement.type) === "search");

  const state = await person.context().storageState();
  const id = asks("delete_project", { project: "Ember" });
  for (const [name, options] of [["dark", { colorScheme: "dark" }], ["360", { viewport: { width: 360, height: 740 } }], ["2560", { viewport: { width: 2560, height: 1300 } }]]) {
    const it = await page(browser, { storageState: state, ...options });
    for (const [what, path] of [["waiting", "/console/"], ["question", `/console/q/${id}`], ["access", "/console/access"], ["activity", "/console/activity"]]) {
      await it.goto(base + path);
      await pause(150);
      await shot(it, `${what}-${name}`);
      await audit(it, `${what}, ${name}`);
      check(`${what} fits into ${name}`, await fits(it));
    }
    await it.context().close();
  }
}

// 500 people and 100 projects, drawn as far as they are seen; `MATRIX="5000 500"` draws a larger one, to measure it.
async function large(browser, base, person) {
  const [people, projects] = (process.env.MATRIX ?? "500 100").split(" ").map(Number);
  spawnSync("python3", ["-c", `
import sqlite3
c = sqlite3.connect("${work}/d.db", timeout=30)
c.execute("PRAGMA foreign_keys = ON")
org, = c.execute("SELECT id FROM organizations WHERE slug = 'acme'").fetchone()
def copied(table, where, times, change):
    c.row_factory = sqlite3.Row
    row = dict(c.execute(f"SELECT * FROM {table} WHERE {where} LIMIT 1").fetchone())
    for at in range(times):
        it = row | change(at)
        c.execute(f"INSERT INTO {table} ({', '.join(it)}) VALUES ({', '.join('?' * len(it))})", list(it.values()))
copied("users", "id = 'usr_ana'", ${people}, lambda at: {"id": f"usr_x{at}", "email": f"x{at}@acme.example", "name": f"Person {at:03}"})
copied("organization_members", f"user_id = 'usr_ana' AND organization_id = '{org}'", ${people}, lambda at: {"user_id": f"usr_x{at}"})
copied("projects", f"organization_id = '{org}'", ${projects}, lambda at: {"id": f"prj_x{at}", "name": f"Project {at:03}", "slug": f"project-x{at}", "name_key": f"project {at:03}"})
project, = c.execute(f"SELECT id FROM projects WHERE organization_id = '{org}' AND id IN (SELECT project_id FROM project_members) LIMIT 1").fetchone()
for at in range(${projects}):
    copied("project_members", f"project_id = '{project}'", 20, lambda who: {"project_id": f"prj_x{at}", "user_id": f"usr_x{(at * 5 + who) % ${people}}"})
c.commit()
`], { stdio: "inherit" });
  const began = Date.now();
  await person.goto(`${base}/console/access?organization=Acme`);
  await person.locator("#mx[data-ready]").waitFor();
  check("the large matrix is there soon", Date.now() - began < 3000, Date.now() - began);
  check("and only what is seen is drawn", await person.locator("#mx .c").count() < 3000);
  // What the script takes for a frame; what the browser takes besides depends on the machine.
  const [half, longest] = await person.evaluate(async () => {
    const mx = document.querySelector("#mx"), times = [];
    for (let at = 0; at < 40; at++) {
      mx.scrollTop += 300; mx.scrollLeft += 60;
      const began = performance.now();
      matrix.draw();
      times.push(performance.now() - began);
      await new Promise(requestAnimationFrame);
    }
    times.sort((a, b) => a - b);
    return [times[20], times[39]].map(Math.round);
  });
  check("scrolling stays smooth", half < 16, [half, longest]);
  // Down and sideways as a wheel does it, and how long the browser takes from frame to frame.
  const frames = await person.evaluate(async () => {
    const mx = document.querySelector("#mx"), gaps = [];
    let before = await new Promise(requestAnimationFrame);
    for (let at = 0; at < 240; at++) {
      mx.scrollTop += at < 120 ? 40 : -40;
      mx.scrollLeft += at % 120 < 60 ? 12 : -12;
      const now = await new Promise(requestAnimationFrame);
      gaps.push(now - before);
      before = now;
    }
    gaps.sort((a, b) => a - b);
    return [gaps[120], gaps[228]].map(it => it.toFixed(1));
  });
  console.log(`  ${people} × ${projects}: drawn in ${half} ms (half of the draws), at most ${longest} ms; frames while scrolling: half within ${frames[0]} ms, 95 % within ${frames[1]} ms`);
  await person.evaluate(() => { document.querySelector("#mx").scrollTo(0, 0); });
  await person.locator("[data-filter=mx]").fill("x499@");
  await until("it is filtered", async () => (await person.locator("#mx").getAttribute("aria-rowcount")) === "2");
  await person.locator("[data-filter=mx]").fill("");
  await person.locator("#mx").focus();
  await person.keyboard.press("ArrowDown");
  await person.keyboard.press("ArrowRight");
  await pause(200);
  await shot(person, "matrix");
  await audit(person, "large matrix");
}

// What others try.
async function attacks(browser, base, person) {
  const id = asks("delete_project", { project: "Ember" });
  const evil = createServer((asked, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end(`<body><form id=f method=post action="${base}/console/q/${id}/agree"><input name=typed value=Ember><input name=csrf value=x></form>
      <iframe src="${base}/console/q/${id}"></iframe>
      <script>window.heard = []; const it = new EventSource("${base}/console/events", { withCredentials: true }); it.onmessage = e => heard.push(e.data); it.addEventListener("waiting", e => heard.push(e.data));
      fetch("${base}/console/", { credentials: "include" }).then(r => r.text()).then(t => heard.push(t)).catch(() => {});</script></body>`);
  });
  await new Promise(done => evil.listen(0, "127.0.0.1", done));
  for (const host of ["127.0.0.1", "localhost"]) {
    const victim = await person.context().newPage();
    await victim.goto(`http://${host}:${evil.address().port}/`);
    await pause(1500);
    check(`a page of ${host} at another port hears and reads nothing`, (await victim.evaluate(() => window.heard)).length === 0);
    const frame = victim.frames().find(it => it !== victim.mainFrame());
    const inside = await frame?.evaluate(() => document.body?.innerText ?? "").catch(() => "");
    check("and frames nothing", !/Delete project/.test(inside ?? ""), inside);
    const [answer] = await Promise.all([victim.waitForNavigation().catch(() => null), victim.evaluate(() => document.getElementById("f").submit())]);
    check("its form is refused", answer?.status() === 403, answer?.status());
    await victim.close();
  }
  check("nothing was agreed to by that", call("delete_project", { project: "Ember" }).status === 3);
  const status = await new Promise(done => request(`${base}/console/`, { headers: { host: "evil.example" } }, answer => done(answer.statusCode)).end());
  check("a name that was bound anew to this address is refused", status === 403, status);

  const hostile = ['<img src=x onerror="window.hacked=1">', "x".repeat(100), "a\u202egpj.exe"];
  for (const name of hostile) {
    call("create_project", { organization: "acme", name });
    await person.goto(`${base}/console/q/${asks("delete_project", { project: name })}`);
    await pause(150);
    check("a hostile name runs nothing and breaks no page", await person.evaluate(() => !window.hacked) && await fits(person) && !(await person.textContent("main")).includes("\u202e"), name);
  }
  await shot(person, "hostile");
  const long = "y".repeat(10000);
  await person.goto(`${base}/console/activity?member=${long}`);
  check("a filter of 10,000 characters is answered", await person.locator("main").isVisible());
  evil.close();
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"] });
try {
  spawnSync(binary, ["seed", "acme"], { env, cwd: work });
  const link = await atTerminal("--http", "127.0.0.1:0", "--print");
  const base = new URL(link).origin;
  const person = await signingIn(browser, base, link);
  check("a second `rolecall console` gives a link to the one that is open", new URL(await atTerminal("--print")).origin === base);
  await deciding(browser, base, person);
  await withoutForms(base, person);
  await plansAndJobs(base, person);
  await looking(browser, base, person);
  await attacks(browser, base, person);
  await large(browser, base, person);
} catch (error) {
  check("all of it is tried", false, error.stack);
} finally {
  await browser.close();
  for (const it of children) it.kill();
  await pause(300);
  rmSync(work, { recursive: true, force: true });
}
console.log(`console in a browser: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
