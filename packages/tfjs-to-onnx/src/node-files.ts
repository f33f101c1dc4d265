import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { messageOf } from '@atelier/domain';
import { joinGroups, type LayersModelArtifacts, readModelJson } from './artifacts.ts';
import { malformed } from './errors.ts';

/**
 * Reads a `model.json` and the weight files beside it. A file that is missing, that is no JSON, or that lies outside the
 * folder of `model.json` is `malformed-tfjs-model`, by name.
 */
export async function readLayersModel(path: string): Promise<LayersModelArtifacts> {
  const model = readModelJson(parseJson(await readNamed(path, path), path), path);
  const folder = dirname(resolve(path));
  const contents: Uint8Array[] = [];
  for (const { paths } of model.groups) {
    const files: Uint8Array[] = [];
    for (const shard of paths) files.push(await readShard(folder, shard, path));
    contents.push(Buffer.concat(files));
  }
  return joinGroups(model, contents);
}

/** Paths may be URL-encoded, as a browser would need them: a file of the plain name comes first. */
async function readShard(folder: string, shard: string, place: string): Promise<Uint8Array> {
  const names = [...new Set([shard, decodedPath(shard)])];
  const files = names.map((name) => ({ name, file: resolve(folder, name) }));
  const outside = files.find(({ name, file }) => isAbsolute(name) || leaves(folder, file));
  if (outside) throw malformed(`${place} names the weight file "${shard}"; expected one inside its folder.`);
  for (const { file } of files.slice(0, -1)) {
    const found = await readFile(file).catch(() => undefined);
    if (found) return found;
  }
  return readNamed(resolve(folder, names.at(-1) ?? shard), `Weight file "${shard}" of ${place}`);
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

async function readNamed(path: string, name: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw malformed(`${name} cannot be read: ${messageOf(cause)}.`, cause);
  });
}

function parseJson(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw malformed(`${path} is not JSON: ${messageOf(cause)}.`, cause);
  }
}
