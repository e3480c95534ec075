#!/usr/bin/env node
// Starts the program of this platform's package. It is there already: npm installed it as an optional dependency.
"use strict";

const { spawn } = require("node:child_process");

const name = `rolecall-${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`${name}/bin/rolecall${process.platform === "win32" ? ".exe" : ""}`);
} catch {
  console.error(`error: there is no package ${name}, or npm was told to leave optional dependencies out`);
  console.error("fix: install again without --omit=optional; on a platform that has no package, build it from source");
  process.exit(1);
}

// Its own process group would keep a client's signals from it, so it stays in ours; what ends us by a signal ends it, too.
const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`error: ${program} does not start: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
