import type { LayersModelArtifacts } from '@atelier/tfjs-to-onnx';

type Json = Record<string, unknown>;

/** What TensorFlow.js saved, as Keras 3 would have written the same model down. */
export function asKeras3(artifacts: LayersModelArtifacts): LayersModelArtifacts {
  const model = artifacts.modelTopology as Json;
  return {
    ...artifacts,
    generatedBy: 'keras v3.6.0',
    modelTopology: { keras_version: '3.6.0', backend: 'tensorflow', model_config: asLayer(model, new Map()) },
  };
}

/** An entry of a list of layers, or a model; `offsets` is what is taken off the numbers of calls, by layer. */
function asLayer(entry: Json, offsets: ReadonlyMap<string, number>): Json {
  const {
    class_name: className,
    config,
    name,
    inbound_nodes: calls,
  } = entry as { class_name: string; config: Json; name?: string; inbound_nodes?: unknown[][] };
  const isModel = className === 'Model' || className === 'Sequential';
  return {
    class_name: className === 'Model' ? 'Functional' : className,
    config: isModel ? asModel(config) : { ...(asSettings(config) as Json), dtype: policyOf(config) },
    ...(name !== undefined && { name }),
    ...(calls && { inbound_nodes: calls.map((call) => asCall(call, className, offsets)) }),
    build_config: { input_shape: null },
  };
}

function asModel({ layers, input_layers: inputs, output_layers: outputs, ...others }: Json): Json {
  const entries = layers as Json[];
  // TensorFlow.js counts a model's own call as the first one, Keras 3 does so for functional models.
  const offsets = new Map(
    entries.map(({ class_name, config }) => [(config as Json)['name'] as string, class_name === 'Sequential' ? 1 : 0]),
  );
  return {
    ...others,
    trainable: true,
    layers: entries.map((entry) => asLayer(entry, offsets)),
    ...(inputs !== undefined && { input_layers: aloneOrAll(inputs as unknown[]) }),
    ...(outputs !== undefined && {
      output_layers: aloneOrAll(
        (outputs as [string, number, number][]).map(([layer, call, output]) => [
          layer,
          call - (offsets.get(layer) ?? 0),
          output,
        ]),
      ),
    }),
  };
}

function aloneOrAll(references: unknown[]): unknown {
  return references.length === 1 ? references[0] : references;
}

/** One tensor stands for itself, several stand in a list: what a merging layer takes. */
function asCall(call: unknown[], className: string, offsets: ReadonlyMap<string, number>): Json {
  const tensors = (call as [string, number, number][]).map(([layer, number, output]) => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, 1], dtype: 'float32', keras_history: [layer, number - (offsets.get(layer) ?? 0), output] },
  }));
  return {
    args: tensors.length === 1 ? tensors : [tensors],
    kwargs: className === 'Dropout' ? { training: false } : {},
  };
}

function policyOf({ dtype }: Json): unknown {
  const name = dtype ?? 'float32';
  return { module: 'keras', class_name: 'DTypePolicy', config: { name }, registered_name: null };
}

/** The words of Keras 3: another key for shapes, and a module for whatever has a class. */
function asSettings(source: unknown): unknown {
  if (Array.isArray(source)) return source.map(asSettings);
  if (typeof source !== 'object' || source === null) return source;
  const renamed = Object.entries(source).map(([key, value]) => [
    key === 'batch_input_shape' ? 'batch_shape' : key,
    asSettings(value),
  ]);
  const object = Object.fromEntries(renamed) as Json;
  return 'class_name' in object ? { module: 'keras.initializers', ...object, registered_name: null } : object;
}
