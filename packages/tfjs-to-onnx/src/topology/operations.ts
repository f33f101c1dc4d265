import { entryOf, expectString, isObject, type JsonObject } from '../settings.ts';

/** Operations of Keras 3 that have no layer of the same name. */
const ONLY_OPERATIONS = [
  'Absolute',
  'All',
  'Any',
  'Cast',
  'Divide',
  'Equal',
  'Exp',
  'ExpandDims',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'Log',
  'LogicalAnd',
  'LogicalNot',
  'LogicalOr',
  'Max',
  'Mean',
  'Min',
  'Negative',
  'NotEqual',
  'Power',
  'Relu',
  'Relu6',
  'Sigmoid',
  'Silu',
  'Sqrt',
  'Square',
  'Squeeze',
  'Sum',
  'Tanh',
  'TrueDivide',
] as const;

/** Operations with a layer beside them, which takes its inputs in a list and broadcasts in another way. */
const ALSO_LAYERS = ['Add', 'Maximum', 'Minimum', 'Multiply', 'Subtract'] as const;

/** What the class of an operation is called here, apart from that of a layer. */
export type OperationClass = `keras.ops.${(typeof ONLY_OPERATIONS | typeof ALSO_LAYERS)[number]}`;

/**
 * The class of an entry in a list of layers. A functional model of Keras 3 lists operations among its layers, such as the
 * comparison that makes a mask. Its module says so; where a converter dropped that, the name does, or that its inputs are
 * not in a list.
 */
export function classOf(entry: JsonObject, place: string): string {
  const className = expectString(entryOf(entry, 'class_name'), `class_name of ${place}`);
  return isOperation(className, entry) ? `keras.ops.${className}` : className;
}

function isOperation(className: string, entry: JsonObject): boolean {
  const { module } = entry;
  if (typeof module === 'string') return /^keras(\.src)?\.ops\b/.test(module);
  if (isOneOf(ONLY_OPERATIONS, className)) return true;
  const calls = entryOf(entry, 'inbound_nodes');
  const call: unknown = Array.isArray(calls) ? calls[0] : undefined;
  const taken = isObject(call) ? call['args'] : undefined;
  return isOneOf(ALSO_LAYERS, className) && Array.isArray(taken) && !Array.isArray(taken[0]);
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
