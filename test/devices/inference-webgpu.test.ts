import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { messageOf } from '@atelier/domain';
import { Program } from '../support/programs.ts';
import { publishTiny, randomImage, tinyClassifier } from '../support/published-version.ts';
import { softwareVulkan } from '../support/software-vulkan.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** SwiftShader and the CPU add in other orders; the classifier's logits are a few units. */
const TOLERANCE = 1e-4;

interface Answer {
  status: number;
  headers: Headers;
  body: {
    device?: unknown;
    detail?: string;
    models?: { version: number; state: string; reason: string; device?: string }[];
    predictions?: { probabilities: { classIndex: number; probability: number }[] }[];
  };
}

describe('the service on WebGPU, computed by SwiftShader', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let driver: Awaited<ReturnType<typeof softwareVulkan>> | string;
  before(async () => {
    folder = await temporaryFolder();
    driver = await softwareVulkan().catch(messageOf);
  });
  after(() => folder.remove());

  /** A service in a process of its own; its environment lets it find the driver, or not. */
  async function start(t: TestContext, root: string, environment: Record<string, string> = {}) {
    if (typeof driver === 'string') {
      assert.equal(process.env['CI'], undefined, `${driver}. In CI this test may not be left out.`);
      return t.skip(driver);
    }
    const service = new Program(process.execPath, ['--import', 'tsx', 'services/inference/src/main.ts'], {
      ...{ ...driver, DEVICE: 'webgpu', MODELS_DIR: root, INFERENCE_PORT: '0', INFERENCE_GRACE_MS: '0' },
      ...environment,
    });
    t.after(async () => {
      service.process.kill('SIGTERM');
      assert.equal((await service.finished).code, 0);
    });
    const [, url = ''] = await service.wrote(/listens on (http:[^"]+)"/);
    await service.wrote(/"msg":"(Serving |Nothing can be served|No version of)/);
    const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
      const response = await fetch(url + path, init);
      return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
    };
    return { ask, service };
  }

  test('says webgpu everywhere, and computes what the CPU computes', async (t) => {
    const root = join(folder.path, 'good');
    await publishTiny(root, { seed: 7 });
    const running = await start(t, root);
    if (running === undefined) return;
    const { ask, service } = running;
    const ready = await ask('/readyz');
    assert.equal(ready.status, 200);
    assert.deepEqual(ready.body.device, { requested: 'webgpu', actual: 'webgpu', reason: null });
    assert.equal((await ask('/models')).body.models?.[0]?.device, 'webgpu');
    assert.match(service.stdout, /Serving fashion-mlp\/1 on webgpu/);
    const images = [randomImage(1), randomImage(2), randomImage(3)];
    const { body, headers } = await ask('/predict', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ pixels: images.map((image) => [...image]) }),
    });
    assert.equal(body.device, 'webgpu');
    assert.equal(headers.get('x-device'), 'webgpu');
    const { probabilities } = tinyClassifier({ seed: 7 });
    for (const [place, image] of images.entries()) {
      const expected = probabilities(image);
      for (const { classIndex, probability } of body.predictions?.[place]?.probabilities ?? []) {
        const difference = Math.abs(probability - (expected[classIndex] ?? NaN));
        assert.ok(difference < TOLERANCE, `image ${place}, class ${classIndex}: ${difference}`);
      }
    }
    assert.equal(service.stderr, '', 'what native libraries print is in the log');
  });

  test('refuses a version that WebGPU cannot compute whole, and serves the one before it', async (t) => {
    const root = join(folder.path, 'operator');
    await publishTiny(root);
    await publishTiny(root, { beyondWebgpu: true });
    const running = await start(t, root);
    if (running === undefined) return;
    const { models = [] } = (await running.ask('/models')).body;
    assert.deepEqual(
      models.map(({ version, state, device }) => [version, state, device]),
      [
        [1, 'READY', 'webgpu'],
        [2, 'UNAVAILABLE', undefined],
      ],
    );
    assert.match(
      models[1]?.reason ?? '',
      /^device-unavailable: DEVICE=webgpu: operator: .*assigned to the default CPU EP/,
    );
  });

  test('the same version computes on the CPU', async (t) => {
    const running = await start(t, join(folder.path, 'operator'), { DEVICE: 'cpu' });
    if (running === undefined) return;
    assert.equal((await running.ask('/models')).body.models?.[1]?.state, 'READY');
  });

  for (const [title, environment, reason] of [
    [
      'driver',
      { VK_DRIVER_FILES: '/nowhere' },
      /webgpu: driver: Failed to get a WebGPU adapter: No supported adapters/,
    ],
    ['Vulkan loader', { LD_LIBRARY_PATH: '' }, /webgpu: library missing: libvulkan\.so\.1: cannot open/],
  ] as const) {
    test(`without the ${title} it is up, not ready, and says why`, async (t) => {
      const running = await start(t, join(folder.path, 'good'), environment);
      if (running === undefined) return;
      const { ask, service } = running;
      assert.equal((await ask('/healthz')).status, 200);
      const { status, body } = await ask('/readyz');
      assert.equal(status, 503);
      // A Vulkan loader that the system has is found all the same, and then a driver may be, too.
      if (title === 'driver' || body.detail?.includes('library missing')) assert.match(body.detail ?? '', reason);
      assert.match((await ask('/models')).body.models?.[0]?.reason ?? '', /^device-unavailable: DEVICE=webgpu/);
      for (const line of service.stdout.trim().split('\n')) JSON.parse(line);
      assert.equal(service.stderr, '');
    });
  }
});
