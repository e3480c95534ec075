// The program over stdio, and a client of it that can do what it says of itself and no more.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Server {
  constructor(binary, env, cwd) {
    this.child = spawn(binary, ["serve"], { env, cwd, stdio: ["pipe", "pipe", "inherit"] });
    this.waiting = new Map();
    this.next = 1;
    createInterface({ input: this.child.stdout }).on("line", line => { const it = JSON.parse(line); this.waiting.get(it.id)?.(it); });
  }
  async ask(method, params) {
    const id = this.next++;
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    const it = await new Promise(done => this.waiting.set(id, done));
    if (it.error) throw new Error(it.error.message);
    return it.result;
  }
  async start(name, capabilities) {
    await this.ask("initialize", { protocolVersion: "2025-11-25", capabilities, clientInfo: { name, version: "1" } });
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
    return this;
  }
  call(name, args) { return this.ask("tools/call", { name, arguments: args }); }
}
