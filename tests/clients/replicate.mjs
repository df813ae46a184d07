import { readFile } from "node:fs/promises";
import Replicate from "replicate";

const MODEL = "black-forest-labs/flux-2-pro";
const client = new Replicate({ auth: "practice", baseUrl: `${BASE}/v1` });
const size = { aspect_ratio: "custom", width: 256, height: 320, output_format: "png" };

async function run(prompt = "a fox", inputs = {}) {
  return await client.run(MODEL, { input: { prompt, ...size, ...inputs } });
}

async function waiting() {
  const [owner, name] = MODEL.split("/");
  const made = await client.predictions.create({ model: `${owner}/${name}`, input: { prompt: "a fox", ...size } });
  return (await client.wait(made, { interval: 50 })).output;
}

const opened = async (name) => await readFile(name);

export const steps = {
  text: () => run(),
  edit: async () => run("a fox", { input_images: [await opened(PICTURES[0])] }),
  three: async () => run("a fox", { input_images: await Promise.all(PICTURES.map(opened)) }),
  wait: waiting,
  moderation: () => run("a forbidden fox"),
  model: async () => (await client.models.get("black-forest-labs", "flux-2-pro")).name,
};
