import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { DatasetFile, DatasetOptions, Edition, Examples } from '@atelier/fashion-mnist';

const PIXELS = 28 * 28;

/** `count` images that all differ, labelled 0 to 9 in turn. */
export function drawnExamples(count: number, seed = 0): Examples {
  const images = Uint8Array.from({ length: count * PIXELS }, (_, index) => {
    const [image, pixel] = [Math.floor(index / PIXELS), index % PIXELS];
    return (image * 31 + pixel * 7 + ((pixel * pixel) >> 3) + seed * 101) & 255;
  });
  return { images, labels: Uint8Array.from({ length: count }, (_, index) => (index + seed) % 10), count };
}

/** An IDX file of unsigned bytes. */
export function idxFile(dimensions: number[], values: Uint8Array): Buffer {
  const words = [0x0800 + dimensions.length, ...dimensions].map((word) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(word);
    return bytes;
  });
  return Buffer.concat([...words, values]);
}

export const drawn = { train: drawnExamples(30), test: drawnExamples(10, 1) };

/** The four files of the drawn data set by name, decompressed, in the order of the digest. */
export const drawnFiles: Record<string, Buffer> = {
  'train-images-idx3-ubyte': idxFile([30, 28, 28], drawn.train.images),
  'train-labels-idx1-ubyte': idxFile([30], drawn.train.labels),
  't10k-images-idx3-ubyte': idxFile([10, 28, 28], drawn.test.images),
  't10k-labels-idx1-ubyte': idxFile([10], drawn.test.labels),
};

export const zippedFiles: Record<string, Buffer> = Object.fromEntries(
  Object.entries(drawnFiles).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]),
);

export const drawnEdition: Edition = {
  trainImages: described('train-images-idx3-ubyte'),
  trainLabels: described('train-labels-idx1-ubyte'),
  testImages: described('t10k-images-idx3-ubyte'),
  testLabels: described('t10k-labels-idx1-ubyte'),
  digest: `sha256:${sha256(Buffer.concat(Object.values(drawnFiles)))}`,
};

export interface EmptySearch extends DatasetOptions {
  systemDirectory: string;
  notices: string[];
}

/** Options under which only the cache, empty at first, can have the data; a test adds the place it is about. */
export async function emptySearch(context: TestContext): Promise<EmptySearch> {
  const home = await temporaryFolder(context);
  const notices: string[] = [];
  return {
    cacheDirectory: join(home, 'cache'),
    systemDirectory: join(home, 'system'),
    sources: [],
    debianTools: null,
    edition: drawnEdition,
    onNotice: (message) => notices.push(message),
    notices,
  };
}

export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'atelier-test-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeFiles(folder: string, files: Record<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function described(name: string): DatasetFile {
  const bytes = drawnFiles[name] ?? Buffer.alloc(0);
  return { name, sizeBytes: bytes.length, sha256: sha256(bytes) };
}
