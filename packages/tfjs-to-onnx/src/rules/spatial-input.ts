import type { Dimension } from '@atelier/onnx';
import { malformed } from '../errors.ts';
import { rankOf, shownShape, type Value } from '../graph/value.ts';
import { type LayerCall, onlyInput, unlessIgnored } from '../rule.ts';

/** The input of a layer that works over space, in the layout of ONNX. */
export interface SpatialInput {
  /** [batch, channels, ...space]. */
  value: Value;
  channels: Dimension;
  space: readonly Dimension[];
  /** Whether the layer has its channels there too. */
  isFirst: boolean;
}

/** The input of a layer whose space has so many axes; one of another rank is `malformed-tfjs-model`. */
export function spatialInput(call: LayerCall, axes: number, isFirst = isChannelsFirst(call)): SpatialInput {
  const input = inputOfRank(call, axes + 2);
  const value = isFirst ? input : call.scope.channelsFirst(input);
  const [, channels = null, ...space] = value.shape;
  return { value, channels, space, isFirst };
}

/** Brings what was computed from the input back into the layer's own layout. */
export function inOwnLayout({ scope }: LayerCall, { isFirst }: SpatialInput, result: Value): Value {
  return isFirst ? result : scope.channelsLast(result);
}

export function inputOfRank(call: LayerCall, rank: number): Value {
  const input = onlyInput(call);
  if (rankOf(input) === rank) return input;
  throw malformed(
    `Layer "${call.name}" (${call.className}) takes ${shownShape(input.shape)}; expected rank ${rank}, with the batch.`,
  );
}

/** How many channels there are; an open number is `malformed-tfjs-model`, since no kernel fits it. */
export function knownChannels({ name, className }: LayerCall, { channels }: SpatialInput): number {
  if (typeof channels === 'number') return channels;
  throw malformed(`Layer "${name}" (${className}) takes an unknown number of channels; expected a known one.`);
}

export function isChannelsFirst({ settings }: LayerCall): boolean {
  return settings.choice('data_format', ['channels_first', 'channels_last'], 'channels_last') === 'channels_first';
}

/** The same for layers of TensorFlow.js that have their channels last whatever the file says. */
export function isChannelsFirstUnlessIgnored(call: LayerCall): boolean {
  const written = isChannelsFirst(call) ? 'channels_first' : 'channels_last';
  return unlessIgnored(call, 'data_format', written, 'channels_last') === 'channels_first';
}
