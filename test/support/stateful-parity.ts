import assert from 'node:assert/strict';
import { encodeModel } from '@atelier/onnx';
import { convert } from '@atelier/tfjs-to-onnx';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { artifactsOf, assertClose, randomise } from './layers-parity.ts';
import { sequenceWithGaps } from './recurrent-parity.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/** Runs a network with one sequence and one output three times: every state goes from its output back to its input. */
export async function agreeOverRuns(network: LayersModel): Promise<void> {
  randomise(network, 7);
  const { model, summary } = convert(await artifactsOf(network));
  const session = await InferenceSession.create(encodeModel(model), { executionProviders: ['cpu'] });
  const [sequence, ...states] = summary.inputs;
  assert.ok(states.length > 0, 'there are states');
  assert.equal(summary.outputs.length, 1 + states.length);
  let kept: Record<string, InstanceType<typeof Tensor>> = Object.fromEntries(
    states.map(({ name, shape }) => {
      const known = (shape ?? []).map(Number);
      return [name, new Tensor('float32', new Float32Array(known.reduce((product, size) => product * size, 1)), known)];
    }),
  );
  const shape = (sequence?.shape ?? []).map(Number) as [number, number, number];
  try {
    for (const run of [1, 2, 3]) {
      const values = sequenceWithGaps(shape, run);
      const expected = [network.predict(values)].flat()[0];
      const given = new Tensor('float32', values.dataSync() as Float32Array, shape);
      const found = await session.run({ ...kept, [sequence?.name ?? '']: given });
      assertClose(found[summary.outputs[0]?.name ?? '']?.data as Float32Array, expected?.dataSync() ?? []);
      kept = Object.fromEntries(
        states.map(({ name }) => [name, found[name.replace('initial_', 'last_')] ?? assert.fail()]),
      );
    }
  } finally {
    await session.release();
  }
}
