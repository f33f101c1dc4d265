import { elementCount, type OnnxTensor, tensorOver } from '@atelier/onnx';
import {
  type CheckedWeightSpec,
  type LayersModelArtifacts,
  type Quantization,
  readWeightSpecs,
  type WeightSpec,
} from './artifacts.ts';
import { decodedFloats } from './decode-weight.ts';
import { malformed } from './errors.ts';
import { type LocatedWeight, locateWeights } from './locate-weights.ts';
import { StoredBytes } from './stored-bytes.ts';
import { closeness, endingOf, endingsOf, isGeneratorState } from './weight-names.ts';

/** A weight as it is stored: whole numbers of which `value * scale + min` is meant, or float16 as its bits. */
export interface StoredWeight extends Quantization {
  /** `path/part`, as of `take`. */
  name: string;
  /** Elements, row-major and little-endian: a view of the weight data where it can be one. */
  data: Uint8Array;
}

interface Weight extends LocatedWeight<CheckedWeightSpec> {
  /** The likeliest name of the layer that took it. */
  takenBy?: string;
}

/** The types that a layer can take, as float32. */
const TAKEN_TYPES = ['float32', 'int32', 'bool'];

/** Names that a message lists. */
const SHOWN_NAMES = 20;

/** The weights of a model, found by name and never by order. Those of the optimiser are passed over. */
export class Weights {
  readonly #data: StoredBytes;
  readonly #weights: readonly Weight[];
  readonly #byEnding = new Map<string, Weight[]>();
  readonly #modelName: string;

  constructor({ weightSpecs, weightData }: LayersModelArtifacts, modelName: string) {
    this.#modelName = modelName;
    this.#data = new StoredBytes(weightData);
    const located = locateWeights(readWeightSpecs(weightSpecs ?? [], 'the model'), this.#data, 'the weight data');
    this.#weights = located.filter(({ spec }) => spec.group !== 'optimizer');
    for (const weight of this.#weights) {
      for (const ending of endingsOf(weight.spec.name)) {
        const others = this.#byEnding.get(ending);
        if (others) others.push(weight);
        else this.#byEnding.set(ending, [weight]);
      }
    }
  }

  /**
   * Weight `part` of a layer as float32 of `shape`. Several `paths` are what the layer may be called, the likeliest first;
   * the tensor's name is `path/part` with the first one that there is, whatever else the file says around it. The data is a
   * view of the weight data where that is float32 already. A missing or ambiguous one, another shape, or a type that is no
   * number is `malformed-tfjs-model`.
   */
  take(paths: string | readonly string[], part: string, shape: readonly number[]): OnnxTensor {
    const { name, weight } = this.#take(paths, part, shape);
    const bytes = this.#data.slice(weight.start, weight.end);
    const { dtype, quantization } = weight.spec;
    if (dtype === 'float32' && !quantization) return { name, type: 'float32', shape, data: bytes };
    return tensorOver(name, 'float32', shape, decodedFloats(weight.spec, bytes));
  }

  /** The same weight in its quantised form; undefined where it has none, or where integers are meant. */
  takeStored(paths: string | readonly string[], part: string, shape: readonly number[]): StoredWeight | undefined {
    const { quantization, dtype } = this.#find(paths, part).weight.spec;
    if (!quantization || dtype !== 'float32') return undefined;
    const { name, weight } = this.#take(paths, part, shape);
    return { name, ...quantization, data: this.#data.slice(weight.start, weight.end) };
  }

  /** Whether there is such a weight; true also where there are several. */
  has(paths: string | readonly string[], part: string): boolean {
    return candidates(paths, part).some((wanted) => this.#closest(wanted).length > 0);
  }

  /** The shape that such a weight has in the file; undefined where there is none. */
  shape(paths: string | readonly string[], part: string): readonly number[] | undefined {
    return this.has(paths, part) ? this.#find(paths, part).weight.spec.shape : undefined;
  }

  /** Names of weights that no layer took. */
  unused(): string[] {
    const left = this.#weights.filter(({ takenBy, spec }) => takenBy === undefined && !isGeneratorState(spec.name));
    return left.map(({ spec }) => spec.name);
  }

  /** Elements of the weights that layers took. */
  parameterCount(): number {
    const taken = this.#weights.filter(({ takenBy }) => takenBy !== undefined);
    return taken.reduce((total, { spec }) => total + elementCount(spec.shape), 0);
  }

  #take(paths: string | readonly string[], part: string, shape: readonly number[]) {
    const found = this.#find(paths, part);
    const { spec, takenBy } = found.weight;
    const type = TAKEN_TYPES.includes(spec.dtype) ? 'float32' : spec.dtype;
    const expected = `float32 [${shape.join(', ')}]`;
    if (`${type} [${spec.shape.join(', ')}]` !== expected) {
      const stored = `${spec.dtype} [${spec.shape.join(', ')}]`;
      throw malformed(`Weight "${spec.name}" is ${stored}; expected ${expected}.`);
    }
    const [taker = part] = candidates(paths, part);
    if (takenBy !== undefined && takenBy !== taker) {
      throw malformed(
        `Weight "${spec.name}" is the closest to both "${takenBy}" and "${taker}"; expected one for each.`,
      );
    }
    found.weight.takenBy = taker;
    return found;
  }

  #find(paths: string | readonly string[], part: string): { name: string; weight: Weight } {
    const names = candidates(paths, part);
    for (const name of names) {
      const [weight, ...more] = this.#closest(name);
      if (!weight) continue;
      if (more.length === 0) return { name, weight };
      throw malformed(`Weight "${name}" is there more than once: ${listed([weight, ...more])}.`);
    }
    throw malformed(`No weight "${names[0] ?? part}"; there is: ${listed(this.#mostAlike(part))}.`);
  }

  /** The weights whose names are closest to `wanted`: one, as a rule. */
  #closest(wanted: string): Weight[] {
    const close = (this.#byEnding.get(endingOf(wanted)) ?? []).flatMap((weight) => {
      const distance = closeness(weight.spec.name, wanted, this.#modelName);
      return distance === undefined ? [] : [{ weight, distance }];
    });
    const least = Math.min(...close.map(({ distance }) => distance));
    return close.filter(({ distance }) => distance === least).map(({ weight }) => weight);
  }

  /** All weights, with those of the same part in front. */
  #mostAlike(part: string): Weight[] {
    const isAlike = ({ spec }: Weight) => spec.name.replace(/:\d+$/, '').endsWith(`/${part}`);
    return [...this.#weights.filter(isAlike), ...this.#weights.filter((weight) => !isAlike(weight))];
  }
}

function candidates(paths: string | readonly string[], part: string): string[] {
  return (typeof paths === 'string' ? [paths] : paths).map((path) => `${path}/${part}`);
}

function listed(weights: readonly { spec: WeightSpec }[]): string {
  const names = weights.slice(0, SHOWN_NAMES).map(({ spec }) => spec.name);
  const more = weights.length - names.length;
  return `${names.join(', ') || 'none'}${more > 0 ? `, and ${more} more` : ''}`;
}
