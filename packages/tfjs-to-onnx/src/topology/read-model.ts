import { malformed, unsupported } from '../errors.ts';
import { expectArray, expectObject, expectString, isObject, type JsonObject, Settings } from '../settings.ts';
import { readCalls, readReferences } from './read-references.ts';
import { type LayerEntry, MODEL_CLASSES, type Topology } from './topology.ts';

/** Models inside models inside models: nobody nests deeper than this. */
const DEEPEST_NESTING = 32;

/** A model and the version of Keras, or of tfjs-layers, that wrote it down. */
export interface ModelSource {
  topology: Topology;
  kerasVersion: string | undefined;
}

/**
 * Reads `modelTopology`: a model itself, or an object with `model_config`; a Sequential with a list of layers, or with
 * `layers`; a functional model in the form of Keras 2 or 3; models inside them.
 */
export function readModel(source: unknown): ModelSource {
  const top = expectObject(source, 'modelTopology');
  const model = isObject(top['model_config']) ? top['model_config'] : top;
  const version = top['keras_version'] ?? model['keras_version'];
  const className = expectString(model['class_name'], 'class_name of the model');
  if (!MODEL_CLASSES.includes(className)) {
    throw unsupported(
      `The model is a ${className}; supported: Sequential, Functional, Model. ` +
        'A subclassed model has no layers in its file: build it from layers and save it again.',
    );
  }
  return {
    topology: readTopology(className, model['config'], 0),
    kerasVersion: typeof version === 'string' ? version : undefined,
  };
}

/** Reads an entry of a list of layers, or the `layer` of a wrapper, which may leave the name to its config. */
export function readLayer(source: unknown, place: string, depth = 0): LayerEntry {
  const entry = expectObject(source, place);
  const className = expectString(entry['class_name'], `class_name of ${place}`);
  const isModel = MODEL_CLASSES.includes(className);
  const written = entry['config'];
  // Old files have a Sequential's layers as its config.
  const config =
    isModel && Array.isArray(written)
      ? { layers: written }
      : expectObject(written, `config of ${place} (${className})`);
  const name = expectString(entry['name'] ?? config['name'], `The name of ${place} (${className})`);
  return {
    className,
    name,
    settings: new Settings(`Layer "${name}"`, config),
    calls: readCalls(entry['inbound_nodes'] ?? [], `inbound_nodes of layer "${name}"`),
    ...(isModel && { model: { ...readTopology(className, config, depth + 1), name } }),
  };
}

function readTopology(className: string, config: unknown, depth: number): Topology {
  if (depth > DEEPEST_NESTING) throw malformed(`Models are nested more than ${DEEPEST_NESTING} deep.`);
  const settings = isObject(config) ? config : { layers: config };
  const entries = expectArray(settings['layers'], 'The list of layers').map((entry, index) =>
    readLayer(entry, `layer ${index}`, depth),
  );
  // Keras 3 and some converters write a Sequential that was called as a functional model.
  const isFunctional =
    className !== 'Sequential' || isObject(settings['input_layers']) || Array.isArray(settings['input_layers']);
  return isFunctional ? functional(settings, entries) : sequential(settings, entries);
}

function functional(settings: JsonObject, layers: LayerEntry[]): Topology {
  return {
    name: nameOf(settings, 'model'),
    layers: withUniqueNames(layers),
    inputs: readReferences(settings['input_layers'], 'input_layers'),
    outputs: readReferences(settings['output_layers'], 'output_layers'),
  };
}

function sequential(settings: JsonObject, entries: LayerEntry[]): Topology {
  const [first] = entries;
  if (!first) throw malformed('The model has no layers; expected at least one.');
  const isInput = first.className === 'InputLayer';
  const input = isInput ? first : inputOf(first, settings);
  let last = input.name;
  const chained = entries.slice(isInput ? 1 : 0).map((entry) => {
    const calls = [{ inputs: [{ layer: last, call: 0, output: 0 }] }];
    last = entry.name;
    return { ...entry, calls };
  });
  return {
    name: nameOf(settings, 'sequential'),
    layers: withUniqueNames([input, ...chained]),
    inputs: [{ layer: input.name, call: 0, output: 0 }],
    outputs: [{ layer: last, call: 0, output: 0 }],
  };
}

/**
 * A first layer that says its input's shape stands for an input layer, which TensorFlow.js names after it; a first layer
 * that is a model takes what that model takes. `build_input_shape` is what Keras noted when the model was built.
 */
function inputOf(first: LayerEntry, model: JsonObject): LayerEntry {
  const [inside] = first.model?.inputs ?? [];
  const inner = first.model?.layers.find(({ name }) => name === inside?.layer);
  if (inner) return { ...inner, calls: [] };
  const { settings } = first;
  const built = settings.get('batch_input_shape') === undefined ? model['build_input_shape'] : undefined;
  return {
    className: 'InputLayer',
    name: `${first.name}_input`,
    settings: Array.isArray(built) ? settings.with({ batch_input_shape: built }) : settings,
    calls: [],
  };
}

function nameOf(settings: JsonObject, fallback: string): string {
  return typeof settings['name'] === 'string' ? settings['name'] : fallback;
}

function withUniqueNames(layers: LayerEntry[]): LayerEntry[] {
  const seen = new Set<string>();
  const twice = layers.find(({ name }) => seen.size === seen.add(name).size);
  if (twice === undefined) return layers;
  throw malformed(`Two layers are called "${twice.name}"; expected different names.`);
}
