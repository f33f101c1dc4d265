import { malformed, unsupported } from '../errors.ts';
import { expectArray, isObject, type JsonObject, plainArray, shown } from '../settings.ts';
import type { Argument, Call, Reference } from './topology.ts';

/** Arguments of a call that change nothing at inference. */
const WITHOUT_EFFECT = ['training'];

/** Arguments of a call that are inputs, which come after the others: those of recurrent layers, of cells and of CategoryEncoding. */
const FURTHER_INPUTS = ['initial_state', 'states', 'count_weights'];

/** What Keras 2 writes in the place of a layer's name for an argument that no layer gives. */
const CONSTANT = '_CONSTANT_VALUE';

/**
 * What each call of a layer takes, from its `inbound_nodes`. Keras 2 and TensorFlow.js write a list of
 * `[layer, call, output, keywords]` for each call, or one such entry alone; Keras 3 writes `{args, kwargs}`.
 */
export function readCalls(source: unknown, place: string): Call[] {
  return expectArray(source, place).map((call) =>
    isObject(call) ? readKeras3Call(call, place) : readCall(call, place),
  );
}

/** Where a model begins or ends: a list of references, one of them alone, or references by name. */
export function readReferences(source: unknown, place: string): Reference[] {
  if (isObject(source)) return Object.values(source).flatMap((each) => readReferences(each, place));
  const list = expectArray(source, place);
  if (typeof list[0] === 'string') return [readReference(list, place)];
  return list.flatMap((entry) => readReferences(entry, place));
}

function readCall(source: unknown, place: string): Call {
  const list = expectArray(source, place);
  const entries = typeof list[0] === 'string' ? [list] : list;
  const inputs: Argument[] = [];
  let mask: Reference | null | undefined;
  for (const entry of entries) {
    const keywords = Array.isArray(entry) ? (entry as unknown[])[3] : undefined;
    inputs.push(readArgument(entry, place));
    if (!isObject(keywords)) continue;
    for (const key of FURTHER_INPUTS) {
      const further = keywords[key] ?? undefined;
      if (further !== undefined) inputs.push(...readReferences(further, place));
    }
    if (keywords['mask'] !== undefined) mask = readMask(keywords['mask'], place);
    requireNoOther(keywords, place);
  }
  return { inputs, ...(mask !== undefined && { mask }) };
}

function readArgument(source: unknown, place: string): Argument {
  if (!Array.isArray(source) || source[0] !== CONSTANT) return readReference(source, place);
  const constant: unknown = source[2];
  const numbers = numberList(constant);
  if (numbers !== undefined) return { constant: numbers };
  throw unsupported(`${place} has the argument ${shown(constant)}; supported: outputs of layers, and numbers.`);
}

export function readReference(source: unknown, place: string): Reference {
  const [layer, call, output] = expectArray(source, `An entry of ${place}`);
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
  if (typeof layer === 'string' && isCount(call) && isCount(output)) {
    return { layer, call: call as number, output: output as number };
  }
  throw malformed(`${place} has the entry ${shown(source)}; expected [layer name, call number, output number].`);
}

function readMask(source: unknown, place: string): Reference | null {
  return source === null ? null : readReference(source, `The mask in ${place}`);
}

function readKeras3Call(source: JsonObject, place: string): Call {
  const keywords = isObject(source['kwargs']) ? source['kwargs'] : {};
  const positional = expectArray(source['args'] ?? [], `args in ${place}`);
  const further = FURTHER_INPUTS.map((key) => keywords[key] ?? []);
  const inputs = [...positional, ...further].flatMap((argument) => readArguments(argument, place));
  requireNoOther(keywords, place);
  const masks = readArguments(keywords['mask'] ?? [], place).filter((mask) => 'layer' in mask);
  return { inputs, ...(masks[0] && { mask: masks[0] }) };
}

/** Tensors in lists, tuples and dictionaries of any depth, numbers, and rows of numbers. */
function readArguments(source: unknown, place: string): Argument[] {
  const numbers = numberList(source);
  if (numbers !== undefined) return [{ constant: numbers }];
  if (Array.isArray(source)) return source.flatMap((each) => readArguments(each, place));
  if (source === null) return [];
  if (isObject(source)) {
    const { class_name: className, config, items } = source;
    if (className === '__keras_tensor__' && isObject(config)) return [readReference(config['keras_history'], place)];
    if (className === '__tuple__' && Array.isArray(items)) return readArguments(items, place);
    if (className === undefined) return readArguments(Object.values(source), place);
  }
  throw unsupported(`${place} has the argument ${shown(source)}; supported: outputs of layers, and numbers.`);
}

function requireNoOther(keywords: JsonObject, place: string): void {
  const read = ['mask', ...FURTHER_INPUTS, ...WITHOUT_EFFECT];
  const others = Object.entries(keywords).filter(([key, given]) => !read.includes(key) && given !== null);
  if (others.length === 0) return;
  throw unsupported(
    `${place} has call arguments ${shown(Object.fromEntries(others))}; supported: mask, ${FURTHER_INPUTS.join(', ')}. ` +
      'Build the model without them.',
  );
}

/** A number, or a row of them, also as Keras 3 writes an array of numpy; undefined for anything else. */
export function numberList(source: unknown): number | readonly number[] | undefined {
  if (typeof source === 'number') return source;
  const list = plainArray(source);
  const isRow = Array.isArray(list) && list.length > 0 && list.every((each) => typeof each === 'number');
  return isRow ? list : undefined;
}
