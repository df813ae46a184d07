const [, , program, base, ...pictures] = process.argv;
globalThis.BASE = base;
globalThis.PICTURES = pictures;
const { steps } = await import(program);

// What came of a step: the size of its picture, its words, or what it threw.
async function told(step) {
  try {
    let answer = await step();
    if (typeof answer === "string" && answer.startsWith("http")) {
      answer = new Uint8Array(await (await fetch(answer)).arrayBuffer());
    }
    if (answer instanceof Uint8Array && answer[1] === 0x50 && answer[2] === 0x4e) {
      const view = new DataView(answer.buffer, answer.byteOffset);
      return `png ${view.getUint32(16)}x${view.getUint32(20)}`;
    }
    return String(answer).slice(0, 200);
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

const answers = {};
for (const [name, step] of Object.entries(steps)) answers[name] = await told(step);
console.log("told:" + JSON.stringify(answers));
process.exit(0);
