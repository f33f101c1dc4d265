import { elementCount, float32Tensor, type OnnxTensor } from '@atelier/onnx';
import { type LayersModelArtifacts, locateWeights, readWeightSpecs, type WeightSpec } from './artifacts.ts';
import { malformed } from './errors.ts';

/** The weights of a model, found by name and never by order. Those of the optimiser are passed over. */
export class Weights {
  readonly #stored: readonly { spec: WeightSpec; bytes: Uint8Array }[];
  readonly #modelName: string;
  readonly #used = new Set<string>();

  constructor({ weightSpecs, weightData }: LayersModelArtifacts, modelName: string) {
    const specs = readWeightSpecs(weightSpecs ?? [], 'the model');
    const located = locateWeights(specs, joined(weightData), 'the weight data');
    this.#stored = located.filter(({ spec }) => spec.group !== 'optimizer');
    this.#modelName = modelName;
  }

  /**
   * Weight `part` of a layer as float32, named `layer/part` whatever the file says exactly. A missing one, another shape or
   * another type is `malformed-tfjs-model`.
   */
  take(paths: readonly string[], part: string, shape: readonly number[]): OnnxTensor {
    const path = paths.find((each) => this.has([each], part)) ?? paths[0] ?? '';
    const name = `${path}/${part}`;
    const { spec, bytes } = this.#find(name);
    const expected = `float32 [${shape.join(', ')}]`;
    const found = `${spec.dtype} [${spec.shape.join(', ')}]`;
    if (found !== expected) throw malformed(`Weight "${spec.name}" is ${found}; expected ${expected}.`);
    this.#used.add(spec.name);
    return float32Tensor(name, shape, decoded(spec, bytes));
  }

  has(paths: readonly string[], part: string): boolean {
    return paths.some((path) =>
      this.#stored.some(({ spec }) => [spec.name, ...this.#variants(spec.name)].includes(`${path}/${part}`)),
    );
  }

  /** Names of weights that no layer took. */
  unused(): string[] {
    return this.#stored.map(({ spec }) => spec.name).filter((name) => !this.#used.has(name));
  }

  /** Elements of the weights that layers took. */
  parameterCount(): number {
    const taken = this.#stored.filter(({ spec }) => this.#used.has(spec.name));
    return taken.reduce((total, { spec }) => total + elementCount(spec.shape), 0);
  }

  #find(name: string) {
    const exact = this.#stored.filter(({ spec }) => spec.name === name);
    const similar = this.#stored.filter(({ spec }) => this.#variants(spec.name).includes(name));
    const [found, second] = exact.length > 0 ? exact : similar;
    if (found && !second) return found;
    const names = (found ? similar : this.#stored).map(({ spec }) => spec.name).join(', ') || 'none';
    throw malformed(
      found ? `Weight "${name}" is there more than once: ${names}.` : `No weight "${name}"; there is: ${names}.`,
    );
  }

  /**
   * What else a weight may be called in the topology's terms: without TensorFlow's output number `:0`, without the model's
   * name in front (Keras 3), without the part before the last one (the cell's name since TensorFlow 2.2).
   */
  #variants(name: string): string[] {
    const plain = name.replace(/:\d+$/, '');
    const short = plain.startsWith(`${this.#modelName}/`) ? plain.slice(this.#modelName.length + 1) : plain;
    const parts = short.split('/');
    return [plain, short, [...parts.slice(0, -2), ...parts.slice(-1)].join('/')];
  }
}

function joined(data: LayersModelArtifacts['weightData']): Uint8Array {
  if (data === undefined) return new Uint8Array();
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  const bytes = new Uint8Array(data.reduce((total, { byteLength }) => total + byteLength, 0));
  let offset = 0;
  for (const part of data) {
    bytes.set(new Uint8Array(part), offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** The numbers that TensorFlow.js would load: little-endian floats, or quantised ones widened. */
function decoded({ shape, quantization }: WeightSpec, bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { dtype = 'float32', scale = 1, min = 0 } = quantization ?? {};
  return Float32Array.from({ length: elementCount(shape) }, (_, index) => {
    switch (dtype) {
      case 'uint8':
        return view.getUint8(index) * scale + min;
      case 'uint16':
        return view.getUint16(index * 2, true) * scale + min;
      case 'float16':
        return float16Value(view.getUint16(index * 2, true));
      default:
        return view.getFloat32(index * 4, true);
    }
  });
}

/** The number that 16 bits of IEEE 754 binary16 stand for: 1 of sign, 5 of exponent, 10 of fraction. */
function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
