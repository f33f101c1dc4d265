import { constants } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { messageOf } from '@atelier/domain';
import { joinGroups, type LayersModelArtifacts, readModelJson, type WeightGroup } from './artifacts.ts';
import { malformed } from './errors.ts';
import { foreignContent } from './foreign-files.ts';
import { expectShallowText } from './json-limits.ts';
import { expectFittingSize } from './locate-weights.ts';
import { isObject } from './settings.ts';

/** The largest `model.json` that is read; published ones are below 10 MiB, because weights are in files of their own. */
const MAXIMUM_JSON_BYTES = 64 * 2 ** 20;

/**
 * Reads a `model.json` and the weight files beside it, the files of a group into one buffer. A file that is missing, that
 * is not what it should be, that is too large or too small, or that lies outside the folder of `model.json` is
 * `malformed-tfjs-model`, by name.
 */
export async function readLayersModel(path: string): Promise<LayersModelArtifacts> {
  const model = readModelJson(parseJson(await readText(path), path), path);
  const folder = dirname(resolve(path));
  const contents: Uint8Array[][] = [];
  for (const group of model.groups) contents.push(await readGroup(folder, group, path));
  return joinGroups(model, contents);
}

async function readText(path: string): Promise<Uint8Array> {
  const { size, isFolder } = await sizeOf(path, path);
  if (isFolder) throw await folderGiven(path);
  if (size <= MAXIMUM_JSON_BYTES) return readFile({ path, name: path, size }, Buffer.allocUnsafe(size));
  // A large file is another kind of model, as a rule.
  const beginning = await readFile({ path, name: path, size: 64 }, Buffer.alloc(64));
  const foreign = foreignContent(beginning, path);
  throw malformed(`${path} ${foreign ?? `has ${size} bytes; expected ${MAXIMUM_JSON_BYTES} at most`}.`);
}

async function folderGiven(path: string) {
  const inside = join(path, 'model.json');
  const isThere = await stat(inside).then(
    () => true,
    () => false,
  );
  return malformed(
    `${path} is a folder; ${isThere ? `give ${inside}` : 'expected a model.json, and there is none in it'}.`,
  );
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  const foreign = foreignContent(bytes, path);
  if (foreign) throw malformed(`${path} ${foreign}.`);
  expectShallowText(bytes, path);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)); // which takes off a byte order mark
  } catch (cause) {
    throw malformed(`${path} is not JSON: ${messageOf(cause)}.`, cause);
  }
}

/** A file that is there, and what messages call it. */
interface Shard {
  path: string;
  name: string;
  size: number;
}

/** The bytes of a group's files, after their sizes were compared with what the weights take. */
async function readGroup(folder: string, { paths, weights }: WeightGroup, place: string): Promise<Uint8Array[]> {
  const shards: Shard[] = [];
  for (const path of paths) shards.push(await findShard(folder, path, place));
  const total = shards.reduce((sum, { size }) => sum + size, 0);
  const sizes = shards.map(({ size }, index) => `${paths[index]}${shards.length > 1 ? ` (${size} bytes)` : ''}`);
  try {
    expectFittingSize(weights, total, sizes.join(', '));
  } catch (error) {
    for (const shard of shards) await expectData(shard);
    throw error;
  }
  // One buffer, so that no weight lies in two, unless it would be larger than buffers can be.
  const whole = total <= constants.MAX_LENGTH ? Buffer.allocUnsafeSlow(total) : undefined;
  const contents: Uint8Array[] = [];
  let offset = 0;
  for (const shard of shards) {
    const target = whole?.subarray(offset, offset + shard.size) ?? Buffer.allocUnsafeSlow(shard.size);
    contents.push(await readFile(shard, target));
    offset += shard.size;
  }
  return whole ? [whole] : contents;
}

/** Of a file of the wrong size: what a checkout or a download left in its place, where that can be seen. */
async function expectData(shard: Shard): Promise<void> {
  const size = Math.min(shard.size, 64);
  const foreign = foreignContent(await readFile({ ...shard, size }, Buffer.alloc(size)), '');
  if (foreign) throw malformed(`${shard.name} ${foreign}.`);
}

/** Paths may be URL-encoded, as a browser would need them: a file of the plain name comes first. */
async function findShard(folder: string, shard: string, place: string): Promise<Shard> {
  const names = [...new Set([shard, decodedPath(shard)])];
  const paths = names.map((name) => ({ name, path: resolve(folder, name) }));
  const outside = paths.find(({ name, path }) => isAbsolute(name) || leaves(folder, path));
  if (outside) throw malformed(`${place} names the weight file "${shard}"; expected one inside its folder.`);
  const name = `Weight file "${shard}" of ${place}`;
  const last = paths.at(-1)?.path ?? '';
  for (const { path } of paths) {
    const found = await sizeOf(path, name).catch((error: unknown) => {
      if (path !== last) return undefined;
      throw isMissing(error)
        ? malformed(`${name} is missing; expected all files of its weightsManifest in the same folder.`, error)
        : error;
    });
    if (found?.isFolder) throw malformed(`${name} is a folder; expected a file.`);
    if (found) return { path, name, size: found.size };
  }
  throw malformed(`${name} cannot be read.`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && isObject(error.cause) && error.cause['code'] === 'ENOENT';
}

function leaves(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a plain name with a per cent sign in it
  }
}

async function sizeOf(path: string, name: string): Promise<{ size: number; isFolder: boolean }> {
  const found = await stat(path).catch((cause: unknown) => {
    throw malformed(`${name} cannot be read: ${messageOf(cause)}.`, cause);
  });
  // A pipe or a device might never end.
  if (!found.isFile() && !found.isDirectory()) throw malformed(`${name} is no file.`);
  return { size: found.size, isFolder: found.isDirectory() };
}

/** Fills `target`, which is as long as the file, or says what the file is instead. */
async function readFile({ path, name }: Shard, target: Buffer): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    for (let offset = 0; offset < target.length;) {
      const { bytesRead } = await file.read(target, offset, Math.min(target.length - offset, 2 ** 30));
      if (bytesRead === 0) throw new Error(`it ended after ${offset} of ${target.length} bytes`);
      offset += bytesRead;
    }
    return target;
  } catch (cause) {
    throw malformed(`${name} cannot be read: ${messageOf(cause)}.`, cause);
  } finally {
    await file?.close();
  }
}
