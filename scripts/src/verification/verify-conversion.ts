import type { OnnxValue } from '@atelier/onnx';
import type { LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import { messageOf } from '@atelier/domain';
import { indexLimits, inputNames } from './index-limits.ts';
import { type Difference, largestDifference } from './largest-difference.ts';
import { randomInputs } from './random-inputs.ts';
import { RefusedByTfjs, runLayersModel } from './run-layers-model.ts';
import { runOnnxModel } from './run-onnx-model.ts';
import type { NamedTensors } from './tensor-values.ts';
import type { TfjsBackend } from './tfjs-backend.ts';

/**
 * Of a whole network, relative to the largest output: float32 rounds at 6e-8, and the sums of both runtimes, in their own
 * order over some tens of layers, were never further apart.
 */
const TOLERANCE = 1e-4;

/** What came of running both models on the same inputs. */
export interface Verification {
  verified: boolean;
  /** Relative to the largest output; null where nothing could be compared, or where it is no number. */
  largestDifference: number | null;
  tolerance: number;
  /** What TensorFlow.js computed on; null where it did not. */
  backend: TfjsBackend | null;
  /** Why it is not verified, in a sentence; null where it is. */
  reason: string | null;
}

/**
 * Runs the ONNX model at `path` and TensorFlow.js on the same random inputs. TensorFlow.js computes on WebAssembly first,
 * for speed; where it cannot, or where the two disagree, its plain JavaScript decides.
 */
export async function verifyConversion(
  artifacts: LayersModelArtifacts,
  { path, inputs }: { path: string; inputs: readonly OnnxValue[] },
): Promise<Verification> {
  try {
    const own = inputNames(artifacts.modelTopology);
    // What TensorFlow.js keeps inside, and begins with zeros. Outputs of that kind are the last ones.
    const states = inputs.map(({ name }) => name).filter((name) => own.length > 0 && !own.includes(name));
    const given = randomInputs(inputs, { seed: 1, limits: indexLimits(artifacts.modelTopology), zeros: states });
    const found = await runOnnxModel(path, given);
    const on = (backend: TfjsBackend) => compareOn(backend, artifacts, { inputs: given, states }, found);
    const fast = await on('wasm').catch(() => undefined);
    return fast?.verified ? fast : await on('cpu');
  } catch (error) {
    const reason = messageOf(error).replace(/\.$/, '');
    return {
      verified: false,
      largestDifference: null,
      tolerance: TOLERANCE,
      backend: null,
      reason:
        error instanceof RefusedByTfjs
          ? `${reason}; not verified. Without --verify the model is converted all the same.`
          : `${reason}.`,
    };
  }
}

async function compareOn(
  backend: TfjsBackend,
  artifacts: LayersModelArtifacts,
  { inputs, states }: { inputs: NamedTensors; states: readonly string[] },
  found: NamedTensors,
): Promise<Verification> {
  const own = Object.entries(inputs).filter(([name]) => !states.includes(name));
  const expected = await runLayersModel(artifacts, Object.fromEntries(own), backend);
  const outputs = Object.values(found);
  const difference = largestDifference(
    Object.entries(expected).map(([name, values], index) => ({ name, expected: values, found: outputs[index] })),
  );
  const verified = difference.relative <= TOLERANCE;
  return {
    verified,
    largestDifference: Number.isFinite(difference.relative) ? difference.relative : null,
    tolerance: TOLERANCE,
    backend,
    reason: verified ? null : reasonOf(difference),
  };
}

function reasonOf({ faults, output, relative }: Difference): string {
  if (faults.length > 0) return faults.join(' ');
  return `Output "${output}" differs by ${relative.toExponential(1)} of its largest value; allowed is ${TOLERANCE}.`;
}
