import { CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { createImageDecoder, hasModelForm, type Outputs, predictPictures } from '@atelier/inference';
import { decodeGoldenImages, MODEL_FILE, readModel, resolveVersion } from '@atelier/model-repository';
import { join } from 'node:path';
import sharp from 'sharp';
import { MODEL_NAME } from '../../src/settings.ts';
import { loadOnnxruntime } from '../onnxruntime.ts';

/** What is asked about, and what the model answers when it is asked directly. */
export interface KnownImage {
  /** [28, 28] */
  pixels: Uint8Array;
  /** [10] */
  probabilities: number[];
}

export interface KnownPhotograph {
  jpeg: Buffer;
  /** [10], of what the service's own decoder makes of it, or of its mirror image. */
  probabilities: number[];
}

/** Two images' answers differ by at least this somewhere: what is mixed up shows. */
const DISTANCE = 0.01;

/** Batches of other sizes may end in other last bits. */
export const TOLERANCE = 1e-4;

const IMAGES = 32;
const PHOTOGRAPHS = 8;
const PHOTOGRAPH = { width: 1024, height: 768 };
const MAXIMUM_PIXELS = 40_000_000;

export async function modelFile(modelsDirectory: string): Promise<string> {
  return join((await resolveVersion(modelsDirectory, MODEL_NAME, 'latest')).directory, MODEL_FILE);
}

/**
 * Images whose answers are told apart: the manifest's golden ones, and the same moved down by a few rows. Each has the
 * data set's form, so that as a file it is taken as it is.
 */
export async function knownImages(modelsDirectory: string): Promise<KnownImage[]> {
  const version = await resolveVersion(modelsDirectory, MODEL_NAME, 'latest');
  const golden = decodeGoldenImages(version.manifest.golden);
  const all = [0, 1, 2, 3, 4, 5, 6].flatMap((rows) =>
    Array.from({ length: golden.length / PIXELS_PER_IMAGE }, (_, row) =>
      movedDown(golden.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE), rows),
    ),
  );
  const candidates = all.filter((pixels) => hasModelForm({ width: IMAGE_WIDTH, height: IMAGE_HEIGHT, pixels }));
  const answers = rowsOf((await outputsOf(modelsDirectory, Buffer.concat(candidates))).probabilities);
  const chosen: KnownImage[] = [];
  for (const [index, pixels] of candidates.entries()) {
    const probabilities = answers[index] ?? [];
    if (chosen.length < IMAGES && chosen.every((other) => differ(other.probabilities, probabilities))) {
      chosen.push({ pixels, probabilities });
    }
  }
  return chosen;
}

/** As a camera gives them, where decoding is most of the work: a garment on a light, uneven wall, 1024 by 768. */
export async function knownPhotographs(
  modelsDirectory: string,
  images: readonly KnownImage[],
): Promise<KnownPhotograph[]> {
  const files = await Promise.all(images.slice(0, PHOTOGRAPHS).map(photograph));
  const decode = createImageDecoder(MAXIMUM_PIXELS);
  const decoded = await Promise.all(files.map((file) => decode(file)));
  const { outputs } = await predictPictures(
    { predict: (all) => outputsOf(modelsDirectory, all) },
    { images: Buffer.concat(decoded.map(({ image }) => image)), facts: decoded.map(({ facts }) => facts) },
  );
  const answers = rowsOf(outputs.probabilities);
  return files.map((jpeg, index) => ({ jpeg, probabilities: answers[index] ?? [] }));
}

export function pngOf(image: Uint8Array): Promise<Buffer> {
  const raw = { width: IMAGE_WIDTH, height: IMAGE_HEIGHT, channels: 1 } as const;
  return sharp(image, { raw }).toColourspace('b-w').png().toBuffer();
}

/** What the model answers of images [count, 28, 28]. */
async function outputsOf(modelsDirectory: string, images: Uint8Array): Promise<Outputs> {
  const { InferenceSession, Tensor } = await loadOnnxruntime();
  const session = await InferenceSession.create(
    await readModel(await resolveVersion(modelsDirectory, MODEL_NAME, 'latest')),
  );
  const image = new Tensor('uint8', images, [images.length / PIXELS_PER_IMAGE, IMAGE_HEIGHT, IMAGE_WIDTH]);
  const { logits, probabilities } = await session.run({ image });
  await session.release();
  return { logits: logits?.data as Float32Array, probabilities: probabilities?.data as Float32Array };
}

function rowsOf(probabilities: Float32Array): number[][] {
  return Array.from({ length: probabilities.length / CLASS_COUNT }, (_, row) => [
    ...probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT),
  ]);
}

function differ(a: readonly number[], b: readonly number[]): boolean {
  return a.some((value, index) => Math.abs(value - (b[index] ?? NaN)) >= DISTANCE);
}

function movedDown(image: Uint8Array, rows: number): Uint8Array {
  const moved = new Uint8Array(PIXELS_PER_IMAGE);
  moved.set(image.subarray(0, PIXELS_PER_IMAGE - rows * IMAGE_WIDTH), rows * IMAGE_WIDTH);
  return moved;
}

async function photograph({ pixels }: KnownImage): Promise<Buffer> {
  const edge = PHOTOGRAPH.height * 0.75;
  const dark = pixels.map((pixel) => 255 - pixel);
  const garment = await sharp(dark, { raw: { width: IMAGE_WIDTH, height: IMAGE_HEIGHT, channels: 1 } })
    .resize(edge, edge, { kernel: 'cubic' })
    .png()
    .toBuffer();
  const noise = { type: 'gaussian', mean: 235, sigma: 6 } as const;
  return sharp({ create: { ...PHOTOGRAPH, channels: 3, background: 'white', noise } })
    .composite([{ input: garment, blend: 'multiply' }])
    .jpeg({ quality: 85 })
    .toBuffer();
}
