import type { LayersModelArtifacts, WeightSpec } from '@atelier/tfjs-to-onnx';

/** Layers as `model.json` has them. */
export type LayerJson = readonly [className: string, config: Readonly<Record<string, unknown>>];
/** A weight with its values, or with 0, 1, 2, ... for values. */
export type WeightJson = readonly [name: string, shape: readonly number[], values?: readonly number[]];

/** A Sequential model whose input is float32 of `inputShape` without the batch. */
export function sequential(
  inputShape: readonly (number | null)[],
  layers: readonly LayerJson[],
  weights: readonly WeightJson[] = [],
): LayersModelArtifacts {
  const input: LayerJson = ['InputLayer', { name: 'x', batch_input_shape: [null, ...inputShape], dtype: 'float32' }];
  const entries = [input, ...layers].map(([class_name, config]) => ({ class_name, config }));
  return {
    modelTopology: { class_name: 'Sequential', keras_version: '2.4.0', config: { name: 'net', layers: entries } },
    ...stored(weights),
  };
}

/** A functional model; each layer says what it takes. */
export function functional(
  layers: readonly (readonly [...LayerJson, inbound: unknown])[],
  outputs: unknown,
  weights: readonly WeightJson[] = [],
): LayersModelArtifacts {
  const inputs = layers.filter(([className]) => className === 'InputLayer');
  return {
    modelTopology: {
      model_config: {
        class_name: 'Model',
        config: {
          name: 'net',
          layers: layers.map(([class_name, config, inbound_nodes]) => ({
            class_name,
            name: config['name'],
            config,
            inbound_nodes,
          })),
          input_layers: inputs.map(([, config]) => [config['name'], 0, 0]),
          output_layers: outputs,
        },
      },
    },
    ...stored(weights),
  };
}

function stored(weights: readonly WeightJson[]) {
  const values = weights.flatMap(([, shape, given]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return given ?? Array.from({ length: count }, (_, index) => index);
  });
  const weightSpecs: WeightSpec[] = weights.map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  return { weightSpecs, weightData: new Uint8Array(Float32Array.from(values).buffer) };
}
