import { malformed } from './errors.ts';
import { GRAPH_MODEL_ADVICE } from './foreign-files.ts';
import { expectModerateJson } from './json-limits.ts';
import { locateWeights } from './locate-weights.ts';
import { expectArray, expectObject, expectString, isObject, type JsonObject, shown } from './settings.ts';
import { StoredBytes } from './stored-bytes.ts';

/** What `tf.io.ModelArtifacts` holds, or `model.json` and its weight files read together. */
export interface LayersModelArtifacts {
  modelTopology?: unknown;
  /** In the order of their bytes in `weightData`, which may lie in several buffers, cut anywhere. */
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

/** The same after its checks. */
export interface CheckedWeightSpec extends WeightSpec {
  quantization?: Quantization;
}

/** Elements stand for `value * scale + min`; for float16, which means itself, those are 1 and 0. */
export interface Quantization {
  dtype: 'uint8' | 'uint16' | 'float16';
  scale: number;
  min: number;
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
  expectModerateJson(json, place);
  if (Array.isArray(json) && json.some((entry) => isObject(entry) && 'paths' in entry)) {
    throw malformed(`${place} is a list of weight files without a model; expected a model.json.`);
  }
  const source = expectObject(json, place);
  const { format, generatedBy, convertedBy, modelTopology } = source;
  if (format === 'graph-model' || isGraph(modelTopology)) {
    throw malformed(`${place} is a graph model; ${GRAPH_MODEL_ADVICE}`);
  }
  if ('class_name' in source && !('weightsManifest' in source)) {
    throw malformed(`${place} has layers without weights, as to_json of Keras gives; expected a saved model.json.`);
  }
  const manifest = expectArray(source['weightsManifest'], `weightsManifest of ${place}`);
  return {
    modelTopology,
    groups: manifest.map((entry, index) => readGroup(entry, `weightsManifest[${index}] of ${place}`)),
    ...(typeof format === 'string' && { format }),
    ...(typeof generatedBy === 'string' && { generatedBy }),
    ...(typeof convertedBy === 'string' && { convertedBy }),
  };
}

/**
 * The artifacts of a `model.json` whose weight groups have the bytes `contents`, one for one: each in one piece, or as the
 * pieces of its files one after the other, which are not joined. Bytes that do not fit a group's weights are
 * `malformed-tfjs-model`.
 */
export function joinGroups(
  { groups, ...rest }: ModelJson,
  contents: readonly (Uint8Array | readonly Uint8Array[])[],
): LayersModelArtifacts {
  const weightData = groups.flatMap(({ paths, weights }, index) => {
    const content = contents[index] ?? [];
    const pieces = content instanceof Uint8Array ? [content] : content;
    locateWeights(weights, new StoredBytes(pieces), paths.join(', '));
    return pieces;
  });
  return { ...rest, weightSpecs: groups.flatMap(({ weights }) => weights), weightData };
}

/** Operators of TensorFlow and no layers. */
function isGraph(topology: unknown): boolean {
  return isObject(topology) && ('node' in topology || 'library' in topology) && !('class_name' in topology);
}

function readGroup(entry: unknown, place: string): WeightGroup {
  const { paths, weights } = expectObject(entry, place);
  return {
    paths: expectArray(paths, `paths of ${place}`).map((path) => expectString(path, `A path of ${place}`)),
    weights: readWeightSpecs(weights, place),
  };
}

/** Checks the list of weights that came from `place`. */
export function readWeightSpecs(weights: unknown, place: string): CheckedWeightSpec[] {
  return expectArray(weights, `The list of weights in ${place}`).map((entry, index) => {
    const spec = expectObject(entry, `Weight ${index} in ${place}`);
    const name = expectString(spec['name'], `The name of weight ${index} in ${place}`);
    const shape = expectArray(spec['shape'], `The shape of weight "${name}"`);
    if (!shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)) {
      throw malformed(`The shape of weight "${name}" is ${shown(shape)}; expected sizes.`);
    }
    const dtype = expectString(spec['dtype'], `The dtype of weight "${name}"`);
    const { group, quantization } = spec;
    return {
      name,
      shape: shape as number[],
      dtype,
      ...(typeof group === 'string' && { group }),
      ...(isObject(quantization) && { quantization: readQuantization(quantization, name, dtype) }),
    };
  });
}

/** Other keys, `original_dtype` among them, say nothing that is needed. */
function readQuantization({ dtype, scale, min }: JsonObject, name: string, meant: string): Quantization {
  const isMeant = (...types: string[]) => types.includes(meant);
  if (dtype === 'float16' && isMeant('float32')) return { dtype, scale: 1, min: 0 };
  const isAffine = (dtype === 'uint8' || dtype === 'uint16') && typeof scale === 'number' && typeof min === 'number';
  if (isAffine && isMeant('float32', 'int32')) return { dtype, scale, min };
  throw malformed(
    `Weight "${name}" of ${meant} is quantised by ${shown({ dtype, scale, min })}; ` +
      'expected float16, or uint8 or uint16 with scale and min, of float32; or uint8 or uint16 of int32.',
  );
}
