import { malformed, unsupported } from './errors.ts';
import { expectArray, expectObject, expectString, isObject, type JsonObject, Settings, shown } from './settings.ts';

/** A model as layers that take each other's outputs, whichever of the published forms the file has. */
export interface Topology {
  name: string;
  /** Keras 3 has a few other defaults; TensorFlow.js itself cannot read its files. */
  isKeras3: boolean;
  layers: readonly LayerEntry[];
  inputs: readonly Reference[];
  outputs: readonly Reference[];
}

export interface LayerEntry {
  className: string;
  name: string;
  settings: Settings;
  /** What each call of the layer takes; a layer that is shared is called several times, an input layer never. */
  calls: readonly (readonly Reference[])[];
}

/** One output of one call of a layer. */
export interface Reference {
  layer: string;
  call: number;
  output: number;
}

/**
 * Reads `modelTopology`: a model itself, or an object with `model_config`; a Sequential with a list of layers, or with
 * `layers`; or a functional model in Keras 2's form.
 */
export function readTopology(source: unknown): Topology {
  const top = expectObject(source, 'modelTopology');
  const model = isObject(top['model_config']) ? top['model_config'] : top;
  const version = top['keras_version'];
  const isKeras3 = typeof version === 'string' && version.startsWith('3.');
  const className = expectString(model['class_name'], 'class_name of the model');
  switch (className) {
    case 'Sequential':
      return { isKeras3, ...readSequential(model['config']) };
    case 'Model':
    case 'Functional':
      return { isKeras3, ...readFunctional(expectObject(model['config'], 'config of the model')) };
    default:
      throw unsupported(`The model is a ${className}; supported: Sequential, Functional, Model.`);
  }
}

const MODEL_CLASSES = ['Sequential', 'Functional', 'Model'];

function readSequential(config: unknown): Omit<Topology, 'isKeras3'> {
  const settings = isObject(config) ? config : { layers: config };
  const entries = expectArray(settings['layers'], 'The list of layers').map(readLayer);
  const [first] = entries;
  if (!first) throw malformed('The model has no layers; expected at least one.');
  // A first layer that says its input's shape stands for an input layer, which TensorFlow.js names after it.
  const input: LayerEntry =
    first.className === 'InputLayer'
      ? first
      : { ...first, className: 'InputLayer', name: `${first.name}_input`, calls: [] };
  const body = first.className === 'InputLayer' ? entries.slice(1) : entries;
  let last = input.name;
  const chained = body.map((entry) => {
    const calls = [[{ layer: last, call: 0, output: 0 }]];
    last = entry.name;
    return { ...entry, calls };
  });
  return {
    name: typeof settings['name'] === 'string' ? settings['name'] : 'sequential',
    layers: withUniqueNames([input, ...chained]),
    inputs: [{ layer: input.name, call: 0, output: 0 }],
    outputs: [{ layer: last, call: 0, output: 0 }],
  };
}

function readFunctional(config: JsonObject): Omit<Topology, 'isKeras3'> {
  const layers = expectArray(config['layers'], 'The list of layers').map(readLayer);
  return {
    name: typeof config['name'] === 'string' ? config['name'] : 'model',
    layers: withUniqueNames(layers),
    inputs: readReferences(config['input_layers'], 'input_layers'),
    outputs: readReferences(config['output_layers'], 'output_layers'),
  };
}

function readLayer(source: unknown, index: number): LayerEntry {
  const entry = expectObject(source, `Layer ${index}`);
  const className = expectString(entry['class_name'], `class_name of layer ${index}`);
  const config = expectObject(entry['config'], `config of layer ${index} (${className})`);
  const name = expectString(entry['name'] ?? config['name'], `The name of layer ${index} (${className})`);
  if (MODEL_CLASSES.includes(className)) {
    throw unsupported(`Layer "${name}" is a ${className}, a model inside the model; supported: one flat model.`);
  }
  const calls = expectArray(entry['inbound_nodes'] ?? [], `inbound_nodes of layer "${name}"`);
  return {
    className,
    name,
    settings: new Settings(`Layer "${name}"`, config),
    calls: calls.map((call) => readReferences(call, `inbound_nodes of layer "${name}"`)),
  };
}

/** A list of `[layer, call, output]`, or a single such triple; a fourth element holds arguments of the call. */
function readReferences(source: unknown, place: string): Reference[] {
  const list = expectArray(source, place);
  const triples = typeof list[0] === 'string' ? [list] : list;
  return triples.map((triple) => {
    const [layer, call, output, keywords] = expectArray(triple, `An entry of ${place}`);
    if (isObject(keywords) && Object.keys(keywords).length > 0) {
      throw unsupported(`${place} has call arguments ${shown(keywords)}; supported: none.`);
    }
    if (typeof layer === 'string' && Number.isSafeInteger(call) && Number.isSafeInteger(output)) {
      return { layer, call: call as number, output: output as number };
    }
    throw malformed(`${place} has the entry ${shown(triple)}; expected [layer name, call number, output number].`);
  });
}

function withUniqueNames(layers: LayerEntry[]): LayerEntry[] {
  const names = layers.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return layers;
  throw malformed(`Two layers are called "${twice}"; expected different names.`);
}
