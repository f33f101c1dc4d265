import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CANDIDATES, chooseEngine, parseDeviceChoice, parseEngineChoice, proveDevice } from '@atelier/trainer';

const isInstalled = (name: string) => existsSync(new URL(`../../../node_modules/${name}`, import.meta.url));

describe('choosing an engine and a device', () => {
  test('an unknown engine is refused with the list of those there are', () => {
    assert.throws(() => parseEngineChoice('torch'), { code: 'unknown-engine', message: /"torch".*auto, tfjs, onnx/ });
  });

  test('an unknown device is refused with the list of those there are', () => {
    assert.throws(() => parseDeviceChoice('tpu'), {
      code: 'unknown-device',
      message: /"tpu".*auto, cpu, cuda, webgpu/,
    });
  });

  test('auto says what it took and why nothing better', async () => {
    const { name, device, reason } = await chooseEngine('auto');
    assert.match(reason, new RegExp(`^${name} on .*, the best here`));
    if (!isInstalled('@tensorflow/tfjs-node-gpu')) {
      assert.match(reason, /; not tfjs on cuda \(tfjs-node-gpu: not installed\)/);
      assert.notEqual(`${name} ${device}`, 'tfjs cuda');
    }
  });

  test('auto takes no WebGPU, which must be asked for', async () => {
    for (const engine of ['auto', 'tfjs'] as const) {
      assert.doesNotMatch((await chooseEngine(engine)).reason, /webgpu/);
    }
  });

  test(
    'a device that was asked for and is not there is refused with what brings it, and nothing else is taken',
    { skip: isInstalled('@tensorflow/tfjs-node-gpu') && 'tfjs-node-gpu is installed' },
    async () => {
      await assert.rejects(chooseEngine('tfjs', 'cuda'), {
        code: 'device-unavailable',
        message: /^The device cuda cannot.*tfjs-node-gpu: not installed \(npm run setup:tfjs-gpu/,
      });
    },
  );

  test('the processor can be asked for', async () => {
    const { device, reason } = await chooseEngine('tfjs', 'cpu');
    assert.equal(device, 'cpu');
    assert.match(reason, /^tfjs on (wasm|cpu \(tfjs-node\)), asked for/);
  });

  test(
    'an engine that works on no device is refused with each reason',
    { skip: isInstalled('@tensorflow/tfjs-node-gpu') && 'tfjs-node-gpu is installed' },
    async () => {
      const gpuOnly = CANDIDATES.filter(({ device }) => device === 'cuda');
      await assert.rejects(chooseEngine('tfjs', 'auto', gpuOnly), {
        code: 'engine-unavailable',
        message: /^No device for the tfjs engine: tfjs on cuda: tfjs-node-gpu: not installed/,
      });
    },
  );

  test("onnxruntime's devices are proved by computing on them", async () => {
    await proveDevice('cpu');
    const library = `onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`;
    if (!isInstalled(library)) await assert.rejects(proveDevice('cuda'), /CUDA provider \(.*\) is not installed/);
  });
});
