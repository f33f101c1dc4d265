/**
 * Names of layers that have none in the file: those that TensorFlow.js would give in the same place, a class in snake case
 * and as it is, with a count.
 */
export class LayerNames {
  readonly #counts = new Map<string, number>();

  next(className: string): string {
    const prefix = className === 'InputLayer' ? 'input' : className;
    const count = (this.#counts.get(prefix) ?? 0) + 1;
    this.#counts.set(prefix, count);
    return className === 'InputLayer' ? `input${count}` : `${inSnakeCase(className)}_${className}${count}`;
  }
}

/** `Conv2D` is conv2d, `LeakyReLU` leaky_re_lu (`toSnakeCase` in tfjs-layers/src/utils/generic_utils.ts). */
function inSnakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
