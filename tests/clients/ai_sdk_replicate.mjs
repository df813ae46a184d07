import { readFile } from "node:fs/promises";
import { createReplicate } from "@ai-sdk/replicate";
import { generateImage } from "ai";

const provider = createReplicate({ apiToken: "practice", baseURL: `${BASE}/v1` });
const size = { aspect_ratio: "custom", width: 256, height: 320, output_format: "png" };

async function run(prompt) {
  const { image } = await generateImage({
    model: provider.image("black-forest-labs/flux-2-pro"),
    prompt,
    maxRetries: 0,
    providerOptions: { replicate: size },
  });
  return image.uint8Array;
}

const images = async (names) => ({ text: "a fox", images: await Promise.all(names.map((name) => readFile(name))) });

export const steps = {
  text: () => run("a fox"),
  edit: async () => run(await images(PICTURES.slice(0, 1))),
  three: async () => run(await images(PICTURES)),
  moderation: () => run("a forbidden fox"),
};
