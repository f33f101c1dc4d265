import { isObject, type Settings } from '../settings.ts';

/** A model as layers that take each other's outputs, whichever of the published forms the file has. */
export interface Topology {
  readonly name: string;
  readonly layers: readonly LayerEntry[];
  readonly inputs: readonly Reference[];
  readonly outputs: readonly Reference[];
}

export interface LayerEntry {
  readonly className: string;
  readonly name: string;
  readonly settings: Settings;
  /** What is inside, when the layer is a model itself. */
  readonly model?: Topology;
  /** What each call of the layer takes; a layer that is shared is called several times, an input layer never. */
  readonly calls: readonly Call[];
}

export interface Call {
  readonly inputs: readonly Argument[];
  /** A mask that the caller handed over by name, as files of Keras 3 do; null where it handed over none. */
  readonly mask?: Reference | null;
}

export type Argument = Reference | { readonly constant: number | readonly number[] };

/** One output of one call of a layer. */
export interface Reference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** Classes whose layers are models themselves. */
export const MODEL_CLASSES: readonly string[] = ['Sequential', 'Functional', 'Model'];

/** Names of all layers, those of models inside and of the layers within wrappers included. */
export function layerNamesIn({ layers }: Topology): string[] {
  return layers.flatMap(({ name, settings, model }) => [
    name,
    ...namesWithin(['layer', 'backward_layer', 'cell', 'cells'].map((key) => settings.get(key))),
    ...(model ? layerNamesIn(model) : []),
  ]);
}

function namesWithin(source: unknown): string[] {
  if (Array.isArray(source)) return source.flatMap(namesWithin);
  const config = isObject(source) ? source['config'] : undefined;
  if (!isObject(config)) return [];
  const own = typeof config['name'] === 'string' ? [config['name']] : [];
  return [...own, ...namesWithin([config['layer'], config['layers'], config['cell'], config['cells']])];
}
