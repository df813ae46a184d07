import { readFile } from "node:fs/promises";
import { createBlackForestLabs } from "@ai-sdk/black-forest-labs";
import { generateImage } from "ai";

const provider = createBlackForestLabs({ apiKey: "practice", baseURL: `${BASE}/v1`, pollIntervalMillis: 50 });

async function run(prompt, pollTimeoutMillis = 20000) {
  const { image } = await generateImage({
    model: provider.image("flux-2-pro"),
    prompt,
    maxRetries: 0,
    providerOptions: { blackForestLabs: { width: 256, height: 320, outputFormat: "png", pollTimeoutMillis } },
  });
  return image.uint8Array;
}

const images = async (names) => ({ text: "a fox", images: await Promise.all(names.map((name) => readFile(name))) });

export const steps = {
  text: () => run("a fox"),
  edit: async () => run(await images(PICTURES.slice(0, 1))),
  three: async () => run(await images(PICTURES)),
  moderation: () => run("a forbidden fox", 1000),
};
