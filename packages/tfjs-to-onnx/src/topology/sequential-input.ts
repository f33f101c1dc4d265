import { entryOf, type JsonObject } from '../settings.ts';
import type { LayerEntry } from './topology.ts';

/** Where a layer says the shape of its input, without or with the batch. */
const SHAPE_KEYS = ['batch_input_shape', 'batch_shape', 'input_shape', 'input_dim'];

/**
 * The input of a Sequential without an InputLayer. A first layer that says its input's shape stands for one, which
 * TensorFlow.js names after it; a first layer that is a model takes what that model takes. `build_input_shape` is what Keras
 * noted when the layer, or the model, was built.
 */
export function inputOf(first: LayerEntry, model: JsonObject): LayerEntry {
  const [inside] = first.model?.inputs ?? [];
  const inner = first.model?.layers.find(({ name }) => name === inside?.layer);
  if (inner) return { ...inner, calls: [] };
  const shape = shapeOf(first) ?? (saysShape(first) ? undefined : builtShape(first, model));
  return {
    className: 'InputLayer',
    name: `${first.name}_input`,
    settings: shape ? first.settings.with({ batch_input_shape: shape }) : first.settings,
    calls: [],
  };
}

/** The shape by other words: those of an Embedding, whose `input_dim` is no size of its input, and of old recurrent layers. */
function shapeOf({ className, settings }: LayerEntry): unknown[] | undefined {
  if (SHAPE_KEYS.slice(0, -1).some((key) => settings.get(key) !== undefined)) return undefined;
  const batch = settings.get('batch_size') ?? null;
  const [features, length] = [settings.get('input_dim'), settings.get('input_length')];
  const lengths: unknown[] = Array.isArray(length) ? length : [length ?? null];
  if (className === 'Embedding')
    return settings.get('build_input_shape') && length === undefined ? undefined : [batch, ...lengths];
  return features !== undefined && length !== undefined ? [batch, ...lengths, features] : undefined;
}

function saysShape({ className, settings }: LayerEntry): boolean {
  const keys = className === 'Embedding' ? SHAPE_KEYS.slice(0, -1) : SHAPE_KEYS;
  return keys.some((key) => settings.get(key) !== undefined);
}

function builtShape({ settings }: LayerEntry, model: JsonObject): unknown[] | undefined {
  const noted = settings.get('build_input_shape') ?? entryOf(model, 'build_input_shape');
  return Array.isArray(noted) ? noted : undefined;
}
