import type { DataType, Dimension } from '@atelier/onnx';
import { invalidOption, malformed } from './errors.ts';
import { shownShape, type Value } from './graph/value.ts';
import type { Workshop } from './layer-call.ts';
import { isObject, type Settings, shown } from './settings.ts';
import type { LayerEntry } from './topology/topology.ts';

/** The name of an open batch: one symbol, because every input has the same batch. */
const BATCH = 'batch';

/** The types that an input may have in `model.json`. */
const INPUT_TYPES = ['float32', 'int32', 'bool'] as const;

/** Sizes of a shape in the file, null where a size is open. */
export type Sizes = readonly (number | null)[];

/** An InputLayer becomes an input of the graph with its name; an open size becomes a symbol. */
export function addInput({ builder, inputShapes }: Workshop, { name, settings }: LayerEntry): Value {
  const given = Object.hasOwn(inputShapes, name) ? inputShapes[name] : undefined;
  const written = writtenSizes(settings);
  const sizes = written ? withGivenSizes(name, written, given) : given;
  if (!sizes) {
    throw malformed(
      `Input "${name}" has no batch_input_shape; expected the sizes that the model was built for. ` +
        `Give them: --input-shape ${name}=1,… on the command line, inputShapes in convert.`,
    );
  }
  const shape = sizes.map((size, axis): Dimension => size ?? (axis === 0 ? BATCH : `${name}_axis_${axis}`));
  return builder.input(name, typeOf(name, settings), shape);
}

/** Undefined where the file says none: a Sequential that Keras never built. */
function writtenSizes(settings: Settings): Sizes | undefined {
  const keys = ['batch_input_shape', 'batch_shape'];
  const key = keys.find((each) => settings.get(each) !== undefined);
  if (key !== undefined) return settings.sizes(key);
  if (settings.get('input_shape') !== undefined) return [null, ...settings.sizes('input_shape')];
  return settings.get('input_dim') === undefined ? undefined : [null, settings.number('input_dim')];
}

function typeOf(name: string, settings: Settings): DataType {
  const dtype = settings.get('dtype') ?? 'float32';
  // Keras 3 writes a policy object.
  const written = isObject(dtype) && isObject(dtype['config']) ? dtype['config']['name'] : dtype;
  // Mixed precision is a matter of training: the weights are float32.
  if (typeof written === 'string' && /^(mixed_)?b?float(16|64)$/.test(written)) return 'float32';
  if (written === 'int64' || written === 'uint8') return 'int32'; // what TensorFlow.js has of integers
  const type = INPUT_TYPES.find((known) => known === written);
  if (type) return type;
  throw malformed(`Input "${name}" has dtype ${shown(written)}; expected ${INPUT_TYPES.join(', ')}.`);
}

function withGivenSizes(name: string, written: Sizes, given: Sizes | undefined): Sizes {
  if (given === undefined) return written;
  const fits =
    given.length === written.length && given.every((size, axis) => [null, size].includes(written[axis] ?? null));
  if (fits) return given;
  throw invalidOption(
    `Input "${name}" is given the shape ${shownShape(given)}; the file says ${shownShape(written)}, whose open sizes alone can be set.`,
  );
}
