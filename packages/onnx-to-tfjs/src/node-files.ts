import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import { byteCount, decodeModel, type OnnxModel, type OnnxTensor } from '@atelier/onnx';
import type { SavedModel } from './artifacts.ts';
import { malformed } from './errors.ts';

const MODEL_FILE = 'model.json';
const WEIGHTS_FILE = 'weights.bin';

/**
 * Reads an ONNX file with the weights that it keeps in files beside it. What cannot be read, is no model, or lies outside the
 * model's folder is `malformed-onnx`, by name.
 */
export async function readOnnxModel(path: string): Promise<OnnxModel> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw malformed(`${path} cannot be read: ${messageOf(cause)}.`, cause);
  });
  const model = decodeModel(bytes, path);
  const initializers: OnnxTensor[] = [];
  for (const tensor of model.graph.initializers) initializers.push(await withElements(tensor, path));
  const nodes = [];
  for (const node of model.graph.nodes) {
    const { value } = node.attributes;
    const isOutside = value?.type === 'tensor' && value.value.external;
    nodes.push(
      isOutside
        ? {
            ...node,
            attributes: { ...node.attributes, value: { ...value, value: await withElements(value.value, path) } },
          }
        : node,
    );
  }
  return { ...model, graph: { ...model.graph, initializers, nodes } };
}

/** A tensor with the elements that it names a file for: `location`, and from `offset` on `length` bytes of it. */
async function withElements(tensor: OnnxTensor, model: string): Promise<OnnxTensor> {
  const { external, ...rest } = tensor;
  if (!external) return tensor;
  const { location = '', offset = '0', length } = external;
  const folder = dirname(resolve(model));
  const file = resolve(folder, location);
  const way = relative(folder, file);
  const place = `Weight "${tensor.name}" of ${model}`;
  if (location === '' || isAbsolute(location) || way === '..' || way.startsWith(`..${sep}`)) {
    throw malformed(`${place} is in the file "${location}"; expected one inside the model's folder.`);
  }
  const expected = byteCount(tensor.type, tensor.shape);
  const [start, size] = [Number(offset), length === undefined ? expected : Number(length)];
  if (size !== expected || !Number.isSafeInteger(start) || start < 0) {
    throw malformed(`${place} has ${length} bytes from byte ${offset}; its shape takes ${expected}.`);
  }
  const data = new Uint8Array(size);
  try {
    await using handle = await open(file);
    const { bytesRead } = await handle.read(data, 0, size, start);
    if (bytesRead === size) return { ...rest, data };
  } catch (cause) {
    throw malformed(`${place} is in ${file}, which cannot be read: ${messageOf(cause)}.`, cause);
  }
  throw malformed(`${place} ends behind the end of ${file}; expected ${size} bytes from byte ${start}.`);
}

/**
 * Writes a LayersModel as the folder `directory`: `model.json` and `weights.bin`, as TensorFlow.js does. The folder is written
 * beside and renamed, so it is never half there, and a failure leaves what was. One that has other files is
 * `output-occupied`.
 */
export async function writeLayersModel(directory: string, artifacts: SavedModel): Promise<void> {
  await requireFree(directory);
  const target = resolve(directory);
  const suffix = randomBytes(4).toString('hex');
  const [written, replaced] = [`${target}.${suffix}.part`, `${target}.${suffix}.old`];
  try {
    await mkdir(written, { recursive: true });
    await writeFile(join(written, WEIGHTS_FILE), artifacts.weightData);
    await writeFile(join(written, MODEL_FILE), modelJson(artifacts));
    const isThere = await rename(target, replaced).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    );
    await rename(written, target).catch(async (error: unknown) => {
      if (isThere) await rename(replaced, target);
      throw error;
    });
    await rm(replaced, { recursive: true, force: true });
  } catch (cause) {
    await rm(written, { recursive: true, force: true });
    throw new Error(`${directory} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** A folder that is not there, is empty, or has a LayersModel and nothing else. */
async function requireFree(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw occupied(directory, 'a file');
    throw error;
  });
  const foreign = names.filter((name) => name !== MODEL_FILE && name !== WEIGHTS_FILE);
  if (names.length === 0) return;
  if (foreign.length > 0) throw occupied(directory, `a folder with ${foreign.slice(0, 3).join(', ')} in it`);
  const text = await readFile(join(directory, MODEL_FILE), 'utf8').catch(() => '');
  if (!text.includes('"weightsManifest"'))
    throw occupied(directory, `a folder with a ${names.join(', ')} that is no model`);
}

function occupied(directory: string, what: string): DomainError {
  const message = `${directory} is ${what}; expected nothing there, an empty folder, or a LayersModel to replace.`;
  return new DomainError('output-occupied', message);
}

/** The weights are beside; what is undefined is not written. */
function modelJson(artifacts: SavedModel): string {
  const weightsManifest = [{ paths: [WEIGHTS_FILE], weights: artifacts.weightSpecs }];
  return `${JSON.stringify({ ...artifacts, weightSpecs: undefined, weightData: undefined, weightsManifest })}\n`;
}
