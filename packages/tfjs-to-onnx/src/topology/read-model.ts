import { malformed, unsupported } from '../errors.ts';
import { expectModerateJson } from '../json-limits.ts';
import { entryOf, expectArray, expectObject, expectString, isObject, type JsonObject, Settings } from '../settings.ts';
import { withOwnCallsLeftOut } from './call-numbers.ts';
import { LayerNames } from './layer-names.ts';
import { classOf } from './operations.ts';
import { readFunctionCalls } from './read-function.ts';
import { readCalls, readReferences } from './read-references.ts';
import { inputOf } from './sequential-input.ts';
import { type LayerEntry, MODEL_CLASSES, type Topology } from './topology.ts';

/** Models inside models inside models: nobody nests deeper than this. */
const DEEPEST_NESTING = 32;

/** A model and the version of Keras, or of tfjs-layers, that wrote it down. */
export interface ModelSource {
  topology: Topology;
  kerasVersion: string | undefined;
  /** Whether something in it is as Keras 3 alone writes it. */
  hasKeras3Forms: boolean;
}

/** Of input layers, and of what a layer takes. */
const KERAS_3_KEYS = ['batch_shape', 'keras_history'];

/**
 * Reads `modelTopology`: a model itself, or an object with `model_config`; a Sequential with a list of layers, or with
 * `layers`; a functional model in the form of Keras 2 or 3; models inside them.
 */
export function readModel(source: unknown): ModelSource {
  expectModerateJson(source, 'modelTopology'); // what follows calls itself for models within models
  const top = expectObject(source, 'modelTopology');
  const model = isObject(top['model_config']) ? top['model_config'] : top;
  const version = top['keras_version'] ?? model['keras_version'];
  const className = expectString(entryOf(model, 'class_name'), 'class_name of the model');
  if (!MODEL_CLASSES.includes(className)) {
    throw unsupported(
      `The model is a ${className}; supported: Sequential, Functional, Model. ` +
        'A subclassed model has no layers in its file: build it from layers and save it again.',
    );
  }
  return {
    topology: readTopology(className, withBuiltShape(model['config'], model), { depth: 0, names: new LayerNames() }),
    kerasVersion: typeof version === 'string' ? version : undefined,
    hasKeras3Forms: hasKeras3Form(model['config']),
  };
}

/** How deep we are, and which names were made up. */
interface Reading {
  depth: number;
  names: LayerNames;
}

function hasKeras3Form(source: unknown): boolean {
  if (Array.isArray(source)) return source.some(hasKeras3Form);
  if (!isObject(source)) return false;
  return Object.entries(source).some(
    ([key, value]) =>
      KERAS_3_KEYS.includes(key) || (key === 'class_name' && value === 'DTypePolicy') || hasKeras3Form(value),
  );
}

/** Reads an entry of a list of layers, or the `layer` of a wrapper, which may leave the name to its config. */
export function readLayer(
  source: unknown,
  place: string,
  { depth, names }: Reading = { depth: 0, names: new LayerNames() },
): LayerEntry {
  const entry = expectObject(source, place);
  const className = classOf(entry, place);
  const isModel = MODEL_CLASSES.includes(className);
  const written = entry['config'];
  // Old files have a Sequential's layers as its config.
  const config =
    isModel && Array.isArray(written)
      ? { layers: written }
      : expectObject(withBuiltShape(written, entry), `config of ${place} (${className})`);
  const writtenName = entry['name'] ?? config['name'] ?? undefined;
  const model = isModel ? readTopology(className, config, { depth: depth + 1, names }) : undefined;
  const name =
    writtenName === undefined
      ? names.next(className)
      : expectString(writtenName, `The name of ${place} (${className})`);
  const inbound = entryOf(entry, 'inbound_nodes') ?? [];
  const inboundPlace = `inbound_nodes of layer "${name}"`;
  // Keras 2 has the settings of a function among what it is called with.
  const { calls, keywords } =
    className === 'TFOpLambda'
      ? readFunctionCalls(inbound, inboundPlace)
      : { calls: readCalls(inbound, inboundPlace), keywords: {} };
  return {
    className,
    name,
    settings: new Settings(`Layer "${name}"`, { ...config, ...keywords }),
    calls,
    ...(model && { model: { ...model, name } }),
  };
}

/** Keras notes beside the config which shape a layer or a model was built for. */
function withBuiltShape(config: unknown, { build_config: build }: JsonObject): unknown {
  const shape = isObject(build) ? build['input_shape'] : undefined;
  if (!Array.isArray(shape)) return config;
  const settings = Array.isArray(config) ? { layers: config as unknown[] } : config;
  return isObject(settings) ? { build_input_shape: shape, ...settings } : config;
}

function readTopology(className: string, config: unknown, reading: Reading): Topology {
  if (reading.depth > DEEPEST_NESTING) throw malformed(`Models are nested more than ${DEEPEST_NESTING} deep.`);
  const settings = isObject(config) ? config : { layers: config };
  const source = expectArray(settings['layers'], 'The list of layers');
  const entries = source.map((entry, index) => readLayer(entry, `layer ${index}`, reading));
  // Keras 3 and some converters write a Sequential that was called as a functional model.
  const isFunctional =
    className !== 'Sequential' ||
    isObject(entryOf(settings, 'input_layers')) ||
    Array.isArray(entryOf(settings, 'input_layers'));
  return isFunctional ? functional(settings, entries, isByKeras3(source)) : sequential(settings, entries);
}

function functional(settings: JsonObject, entries: LayerEntry[], isKeras3: boolean): Topology {
  const written = readReferences(entryOf(settings, 'output_layers'), 'output_layers');
  const { layers, outputs } = withOwnCallsLeftOut(withUniqueNames(entries), written, isKeras3);
  const inputs = readReferences(entryOf(settings, 'input_layers'), 'input_layers');
  const empty = inputs.length === 0 ? 'inputs' : outputs.length === 0 ? 'outputs' : undefined;
  if (empty !== undefined) throw malformed(`The model has no ${empty}; expected at least one.`);
  const wrong = inputs.find(({ layer }) => layers.find(({ name }) => name === layer)?.className !== 'InputLayer');
  if (!wrong) return { name: nameOf(settings, 'model'), layers, inputs, outputs };
  throw malformed(`input_layers names "${wrong.layer}"; expected an InputLayer of the model.`);
}

/** Whether a list of layers has the calls of Keras 3, which are objects. */
function isByKeras3(entries: readonly unknown[]): boolean {
  return entries.some((entry) => {
    const calls = isObject(entry) ? entryOf(entry, 'inbound_nodes') : undefined;
    return Array.isArray(calls) && isObject(calls[0]);
  });
}

function sequential(settings: JsonObject, entries: LayerEntry[]): Topology {
  const [first] = entries;
  if (!first) throw malformed('The model has no layers; expected at least one.');
  const isInput = first.className === 'InputLayer';
  const input = isInput ? first : inputOf(first, settings);
  const inside = entries.slice(1).find(({ className }) => className === 'InputLayer');
  if (inside) {
    throw malformed(`Layer "${inside.name}" is an InputLayer behind others of a Sequential; expected it as the first.`);
  }
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

function nameOf(settings: JsonObject, fallback: string): string {
  return typeof settings['name'] === 'string' ? settings['name'] : fallback;
}

function withUniqueNames(layers: LayerEntry[]): LayerEntry[] {
  const seen = new Set<string>();
  const twice = layers.find(({ name }) => seen.size === seen.add(name).size);
  if (twice === undefined) return layers;
  throw malformed(`Two layers are called "${twice.name}"; expected different names.`);
}
