import { messageOf } from '@atelier/domain';
import type { OnnxModel } from '@atelier/onnx';
import type { Conversion } from '@atelier/onnx-to-tfjs';
import { largestDifference } from './largest-difference.ts';
import { randomInputs } from './random-inputs.ts';
import { runLayersModel } from './run-layers-model.ts';
import { runOnnxModel } from './run-onnx-model.ts';
import type { NamedTensors } from './tensor-values.ts';
import type { TfjsBackend } from './tfjs-backend.ts';
import { transposedValues } from './transposed-values.ts';
import type { Verification } from './verify-conversion.ts';

/** As for the other direction: of a whole network, relative to the largest output. */
const TOLERANCE = 1e-4;

/**
 * Runs the ONNX model at `path` and the LayersModel that was made of it on the same random inputs, each laid out as the model
 * wants it. TensorFlow.js computes on WebAssembly first, for speed; where it cannot, or where the two disagree, its plain
 * JavaScript decides.
 */
export async function verifyLayersModel(
  { artifacts, summary }: Conversion,
  { path, model }: { path: string; model: OnnxModel },
): Promise<Verification> {
  try {
    const values = summary.inputs.flatMap((port) => model.graph.inputs.find(({ name }) => name === port.name) ?? []);
    const given = randomInputs(values, { seed: 1 });
    const expected = await runOnnxModel(path, given);
    const compare = (backend: TfjsBackend) => compareOn(backend, { artifacts, summary }, given, expected);
    const fast = await compare('wasm').catch(() => undefined);
    return fast?.verified ? fast : await compare('cpu');
  } catch (error) {
    const reason = `${messageOf(error).replace(/\.$/, '')}.`;
    return { verified: false, largestDifference: null, tolerance: TOLERANCE, backend: null, reason };
  }
}

async function compareOn(
  backend: TfjsBackend,
  { artifacts, summary }: Conversion,
  given: NamedTensors,
  expected: NamedTensors,
): Promise<Verification> {
  const inputs = Object.values(given).map((values, index) =>
    transposedValues(asFloat(values), summary.inputs[index]?.permutation ?? []),
  );
  const found = Object.values(await runLayersModel(artifacts, inputs, backend));
  const pairs = summary.outputs.flatMap(({ name, permutation }, index) => {
    const wanted = expected[name];
    const came = found[index];
    const back = permutation.map((_, axis) => permutation.indexOf(axis));
    return wanted ? [{ name, expected: wanted, found: came && transposedValues(came, back) }] : [];
  });
  const { relative, faults, output } = largestDifference(pairs);
  const verified = relative <= TOLERANCE;
  const apart = `Output "${output}" differs by ${relative.toExponential(1)} of its largest value; allowed is ${TOLERANCE}.`;
  return {
    verified,
    largestDifference: Number.isFinite(relative) ? relative : null,
    tolerance: TOLERANCE,
    backend,
    reason: verified ? null : faults.join(' ') || apart,
  };
}

/** The model takes float32, whatever the graph did. */
function asFloat({ shape, data }: NamedTensors[string]): NamedTensors[string] {
  return { type: 'float32', shape, data: Float32Array.from(Array.from(data, Number)) };
}
