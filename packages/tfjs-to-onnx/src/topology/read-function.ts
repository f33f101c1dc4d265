import { malformed, unsupported } from '../errors.ts';
import { expectArray, isObject, type JsonObject, shown } from '../settings.ts';
import { numberList, readReference } from './read-references.ts';
import type { Argument, Call } from './topology.ts';

/** Operands that TensorFlow's functions take by keyword. */
const OPERANDS = ['x', 'y'];

/** What a TensorFlow function takes, and what else it is told. */
export interface FunctionCalls {
  calls: Call[];
  keywords: JsonObject;
}

/**
 * The calls of a TFOpLambda of Keras 2, from its `inbound_nodes`: `[layer, call, output, keywords]`, or a list of those for a
 * function of a list of tensors. An operand in the keywords is a reference or numbers, and a first operand of numbers is
 * written `["_CONSTANT_VALUE", -1, numbers, keywords]`.
 */
export function readFunctionCalls(source: unknown, place: string): FunctionCalls {
  const read = expectArray(source, place).map((call) => readFunctionCall(call, place));
  const [first] = read;
  const isShared = read.every(({ keywords }) => JSON.stringify(keywords) === JSON.stringify(first?.keywords));
  if (!isShared) throw unsupported(`${place} has calls with different keywords; expected the same in all.`);
  return { calls: read.map(({ inputs }) => ({ inputs })), keywords: first?.keywords ?? {} };
}

function readFunctionCall(source: unknown, place: string): { inputs: Argument[]; keywords: JsonObject } {
  const list = expectArray(source, place);
  const entries = typeof list[0] === 'string' ? [list] : list.map((entry) => expectArray(entry, place));
  const keywords = entries.map((entry) => (isObject(entry[3]) ? entry[3] : {}))[0] ?? {};
  const positional = entries.map((entry) =>
    entry[0] === '_CONSTANT_VALUE' ? readOperand(entry[2], place) : readReference(entry, place),
  );
  const named = OPERANDS.map((key) => keywords[key] ?? undefined).filter((operand) => operand !== undefined);
  const others = Object.entries(keywords).filter(([key]) => key !== 'name' && !OPERANDS.includes(key));
  return {
    inputs: [...positional, ...named.map((operand) => readOperand(operand, place))],
    keywords: Object.fromEntries(others),
  };
}

function readOperand(source: unknown, place: string): Argument {
  const numbers = numberList(source);
  if (numbers !== undefined) return { constant: numbers };
  if (Array.isArray(source) && typeof source[0] === 'string') return readReference(source, place);
  throw malformed(
    `${place} has the operand ${shown(source)}; expected [layer name, call number, output number] or numbers.`,
  );
}
