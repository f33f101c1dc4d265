import { malformed } from './errors.ts';

/** Published models have some ten levels, and four more for each model within a model. */
const MAXIMUM_DEPTH = 200;

/** Layers, initializers, constraints and other described objects: published models have a few thousand at most. */
const MAXIMUM_OBJECTS = 200_000;

/**
 * That a parsed JSON value can be read by functions that call themselves and look at everything: `malformed-tfjs-model`
 * where it is nested too deeply or describes too much. Without recursion itself; `place` begins the message.
 */
export function expectModerateJson(source: unknown, place: string): void {
  const rest: { value: unknown; depth: number }[] = [{ value: source, depth: 0 }];
  let objects = 0;
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAXIMUM_DEPTH) throw tooDeep(place);
    if ('class_name' in value && ++objects > MAXIMUM_OBJECTS) {
      throw malformed(
        `${place} has more than ${MAXIMUM_OBJECTS} objects with a class_name; expected a model of layers.`,
      );
    }
    for (const key in value) rest.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 });
  }
}

/** The same for the depth of JSON that is still text, in UTF-8: deep enough, it exhausts the memory of its own parser. */
export function expectShallowText(bytes: Uint8Array, place: string): void {
  const [quote, backslash, openList, openObject, closeList, closeObject] = [0x22, 0x5c, 0x5b, 0x7b, 0x5d, 0x7d];
  let depth = 0;
  let isInText = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === quote) isInText = !isInText;
    else if (isInText) index += byte === backslash ? 1 : 0;
    else if (byte === openList || byte === openObject) depth++;
    else if (byte === closeList || byte === closeObject) depth--;
    if (depth > MAXIMUM_DEPTH) throw tooDeep(place);
  }
}

function tooDeep(place: string) {
  return malformed(`${place} is nested more than ${MAXIMUM_DEPTH} levels deep; expected a model of layers.`);
}
