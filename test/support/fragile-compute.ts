import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InferenceConfig } from '@atelier/inference';
import { listen } from '@atelier/http';
import { publishVersion } from '@atelier/model-repository';
import { type InferenceOptions, type InferenceUnderTest, openInference } from './inference-service.ts';
import { randomImage, versionContent } from './published-version.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What the compute process of `fragile-compute.mjs` does to a batch with an image of this first pixel, or to a file. */
export const FRAGILE = {
  well: 0,
  crash: 255,
  never: 254,
  /** After `SLOW_MS`; others are answered before it. */
  slow: 253,
  noNumbers: 252,
  noJson: 251,
  huge: 250,
  tooFew: 249,
  /** And to a question that nobody asked. */
  twice: 248,
  strangeCode: 247,
} as const;
export type FragileCommand = keyof typeof FRAGILE;

export const SLOW_MS = 300;

/** A request for one image that has the command in its first pixel; the others are the same in each. */
export const commandBody = (command: FragileCommand, count = 1) => ({
  pixels: Array.from({ length: count }, () => [...randomImage(1, FRAGILE[command])]),
});

/** A file that the decoder of the fragile process obeys. */
export const commandFile = (command: FragileCommand) => Buffer.alloc(16, FRAGILE[command]);

export interface FragileInference extends InferenceUnderTest {
  /** Of a server on a free port of this machine. */
  url: string;
  /** Publishes the next version. */
  publish(): Promise<void>;
  /** What the compute process was asked since the last question: pictures, batches, and the rows of these with padding. */
  asked(): Promise<{ pictures: number; batches: number; rows: number }>;
}

/** The inference service over a compute process that obeys. One at a time in a process. */
export async function openFragile(
  change: Partial<InferenceConfig> = {},
  options: Omit<InferenceOptions, 'entry'> = {},
): Promise<FragileInference> {
  const folder = await temporaryFolder();
  const root = join(folder.path, 'models');
  const publish = async () => {
    const { model, manifest } = versionContent();
    manifest.golden.probabilities = manifest.golden.images.map(() => Array<number>(10).fill(0.1));
    await publishVersion(root, 'fashion-mlp', { model, manifest });
  };
  await publish();
  const log = join(folder.path, 'asked');
  process.env['FRAGILE_ASKED'] = log;
  const entry = new URL('./fragile-compute.mjs', import.meta.url);
  const service = await openInference(root, change, { ...options, entry });
  const server = await listen(service.app, '127.0.0.1', 0, { graceMs: 0 });
  let toldOf = (await readFile(log, 'utf8')).length; // without what the version was tried with
  return {
    ...service,
    publish,
    url: server.url,
    async asked() {
      const text = await readFile(log, 'utf8');
      const lines = text.slice(toldOf).split('\n').filter(Boolean);
      toldOf = text.length;
      const runs = lines.filter((line) => line.startsWith('run ')).map((line) => Number(line.slice(4)));
      return {
        pictures: lines.length - runs.length,
        batches: runs.length,
        rows: runs.reduce((sum, rows) => sum + rows, 0),
      };
    },
    async close() {
      await server.close();
      await service.close();
      delete process.env['FRAGILE_ASKED']; // the file goes with its folder
      await folder.remove();
    },
  };
}
