import { malformed } from './errors.ts';
import { expectArray, expectObject, expectString, isObject, type JsonObject, shown } from './settings.ts';

/** What `tf.io.ModelArtifacts` holds, or `model.json` and its weight files read together. */
export interface LayersModelArtifacts {
  modelTopology?: unknown;
  /** In the order of their bytes in `weightData`. */
  weightSpecs?: readonly WeightSpec[];
  weightData?: Uint8Array | ArrayBuffer | readonly (ArrayBuffer | Uint8Array)[];
  format?: string;
  generatedBy?: string;
  convertedBy?: string | null;
}

/** One entry of the weights manifest. */
export interface WeightSpec {
  name: string;
  shape: readonly number[];
  dtype: string;
  /** `optimizer` marks what only training needs. */
  group?: string;
  quantization?: { dtype: string; scale?: number; min?: number };
}

/** Weights whose bytes lie in a row over the files at `paths`, which are relative to `model.json`. */
export interface WeightGroup {
  paths: readonly string[];
  weights: readonly WeightSpec[];
}

/** A `model.json` without its weight files. */
export type ModelJson = Omit<LayersModelArtifacts, 'weightSpecs' | 'weightData'> & { groups: readonly WeightGroup[] };

/** Checks the parsed `model.json` that came from `place`. What is no LayersModel is `malformed-tfjs-model`. */
export function readModelJson(json: unknown, place: string): ModelJson {
  const source = expectObject(json, place);
  const { format, generatedBy, convertedBy } = source;
  if (format === 'graph-model') {
    throw malformed(`${place} is a graph model; expected a layers model (Keras layers, format "layers-model").`);
  }
  const manifest = expectArray(source['weightsManifest'], `weightsManifest of ${place}`);
  return {
    modelTopology: source['modelTopology'],
    groups: manifest.map((entry, index) => readGroup(entry, `weightsManifest[${index}] of ${place}`)),
    ...(typeof format === 'string' && { format }),
    ...(typeof generatedBy === 'string' && { generatedBy }),
    ...(typeof convertedBy === 'string' && { convertedBy }),
  };
}

/**
 * The artifacts of a `model.json` whose weight groups have the bytes `contents`, one for one: the files of a group one
 * after the other. Bytes that do not fit a group's weights are `malformed-tfjs-model`.
 */
export function joinGroups({ groups, ...rest }: ModelJson, contents: readonly Uint8Array[]): LayersModelArtifacts {
  const weightData = new Uint8Array(contents.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  groups.forEach(({ paths, weights }, index) => {
    const content = contents[index] ?? new Uint8Array();
    locateWeights(weights, content, paths.join(', '));
    weightData.set(content, offset);
    offset += content.length;
  });
  return { ...rest, weightSpecs: groups.flatMap(({ weights }) => weights), weightData };
}

/** Each weight with its bytes in `data`, which came from `place` and must be used up exactly. */
export function locateWeights(
  specs: readonly WeightSpec[],
  data: Uint8Array,
  place: string,
): { spec: WeightSpec; bytes: Uint8Array }[] {
  let offset = 0;
  const located = specs.map((spec) => {
    const start = offset;
    offset += byteLength(spec, data.subarray(offset));
    if (offset <= data.length) return { spec, bytes: data.subarray(start, offset) };
    throw malformed(
      `Weight "${spec.name}" (${spec.dtype} [${spec.shape.join(', ')}]) ends at byte ${offset} of ${place}; ` +
        `it has ${data.length} bytes.`,
    );
  });
  if (offset === data.length) return located;
  throw malformed(`The weights take ${offset} bytes of ${place}; it has ${data.length}.`);
}

/** Bytes of an element as it is stored; strings are longer and shorter. */
const STORED_BYTES: Partial<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  complex64: 8,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

function byteLength({ name, shape, dtype, quantization }: WeightSpec, data: Uint8Array): number {
  const count = shape.reduce((product, size) => product * size, 1);
  const stored = quantization?.dtype ?? dtype;
  if (stored === 'string') return stringsLength(count, data);
  const size = STORED_BYTES[stored];
  if (size !== undefined) return count * size;
  throw malformed(
    `Weight "${name}" has dtype ${shown(stored)}; expected ${Object.keys(STORED_BYTES).join(', ')}, string.`,
  );
}

/** Each string is its length, a little-endian uint32, and then its bytes. */
function stringsLength(count: number, data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let offset = 0;
  for (let index = 0; index < count && offset + 4 <= data.length; index++) offset += 4 + view.getUint32(offset, true);
  return offset;
}

function readGroup(entry: unknown, place: string): WeightGroup {
  const { paths, weights } = expectObject(entry, place);
  return {
    paths: expectArray(paths, `paths of ${place}`).map((path) => expectString(path, `A path of ${place}`)),
    weights: readWeightSpecs(weights, place),
  };
}

/** Checks the list of weights that came from `place`. */
export function readWeightSpecs(weights: unknown, place: string): WeightSpec[] {
  return expectArray(weights, `The list of weights in ${place}`).map((entry, index) => {
    const spec = expectObject(entry, `Weight ${index} in ${place}`);
    const name = expectString(spec['name'], `The name of weight ${index} in ${place}`);
    const shape = expectArray(spec['shape'], `The shape of weight "${name}"`);
    if (!shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)) {
      throw malformed(`The shape of weight "${name}" is ${shown(shape)}; expected sizes.`);
    }
    const { group, quantization } = spec;
    return {
      name,
      shape: shape as number[],
      dtype: expectString(spec['dtype'], `The dtype of weight "${name}"`),
      ...(typeof group === 'string' && { group }),
      ...(isObject(quantization) && { quantization: readQuantization(quantization, name) }),
    };
  });
}

function readQuantization({ dtype, scale, min }: JsonObject, name: string): NonNullable<WeightSpec['quantization']> {
  const stored = expectString(dtype, `The quantization dtype of weight "${name}"`);
  if (stored === 'float16') return { dtype: stored };
  if ((stored === 'uint8' || stored === 'uint16') && typeof scale === 'number' && typeof min === 'number') {
    return { dtype: stored, scale, min };
  }
  throw malformed(
    `Weight "${name}" is quantised by ${shown({ dtype, scale, min })}; ` +
      'expected float16, or uint8 or uint16 with scale and min.',
  );
}
