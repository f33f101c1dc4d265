/** One layer of the model that is being built; a layer that is shared is called several times, an input never. */
export interface NetworkLayer {
  className: string;
  /** Wished for; the saved model's is unique. */
  name: string;
  config: Record<string, unknown>;
  /** By their names in TensorFlow.js: `kernel`, `moving_mean`. */
  weights: Record<string, LayerWeight>;
  calls: LayerOutput[][];
}

/** Float32, row-major, as the layer keeps it: the kernel of a Dense is [inputs, units]. */
export interface LayerWeight {
  shape: readonly number[];
  values: Float32Array;
  /** The tensor of the file that it was made of; a tensor in two layers is trained as two. */
  origin?: string;
}

/** What one call of a layer gives; every layer here has one output. */
export interface LayerOutput {
  layer: NetworkLayer;
  call: number;
}

export interface LayerDescription {
  className: string;
  name: string;
  config?: Record<string, unknown>;
  weights?: Record<string, LayerWeight>;
  /** Whatever decides what the weights are: layers that agree in it are one layer, called again. */
  sharedBy?: string;
}

/** The layers of a model in the order in which they are computed. */
export class Network {
  readonly layers: NetworkLayer[] = [];
  readonly #shared = new Map<string, NetworkLayer>();

  add({ className, name, config = {}, weights = {}, sharedBy }: LayerDescription, inputs: LayerOutput[]): LayerOutput {
    const key = sharedBy === undefined ? undefined : JSON.stringify([className, sharedBy, config]);
    const known = key === undefined ? undefined : this.#shared.get(key);
    const layer = known ?? { className, name, config: { ...config }, weights, calls: [] };
    if (!known) this.layers.push(layer);
    if (key !== undefined) this.#shared.set(key, layer);
    if (className !== 'InputLayer') layer.calls.push(this.#apart(inputs, name));
    return { layer, call: Math.max(0, layer.calls.length - 1) };
  }

  /** What `output` is, as another tensor. */
  copy(output: LayerOutput, name: string): LayerOutput {
    return this.add({ className: 'Activation', name, config: { activation: 'linear' } }, [output]);
  }

  /** A tensor that is taken twice is copied: TensorFlow.js counts it once, and lets go of it while another layer needs it. */
  #apart(inputs: readonly LayerOutput[], name: string): LayerOutput[] {
    return inputs.map((input, index) => {
      const isTaken = inputs.slice(0, index).some(({ layer, call }) => layer === input.layer && call === input.call);
      return isTaken ? this.copy(input, `${name}_copy`) : input;
    });
  }

  /** Nobody shares the layer from now on: it is about to become more than its weights say. */
  keepApart(layer: NetworkLayer): void {
    for (const [key, shared] of this.#shared) if (shared === layer) this.#shared.delete(key);
  }

  /** Tensors of the file that several layers have, each its own copy. */
  tensorsInSeveralLayers(): string[] {
    const origins = this.layers.flatMap(({ weights }) => [
      ...new Set(Object.values(weights).flatMap(({ origin }) => origin ?? [])),
    ]);
    return [...new Set(origins.filter((origin, index) => origins.indexOf(origin) !== index))];
  }
}
