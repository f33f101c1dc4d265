import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { messageOf } from '@atelier/domain';
import { findGpu } from '../../scripts/src/gpu/find-gpu.ts';
import { atelier, ROOT } from '../support/programs.ts';
import { softwareVulkan } from '../support/software-vulkan.ts';

const page = () => readFile(join(ROOT, 'docs', 'gpu.md'), 'utf8');

describe('npm run test:gpu (real data)', () => {
  test('without an NVIDIA GPU says so in one line, ends well and records nothing', async (t) => {
    if (findGpu() !== null) return t.skip('there is one here');
    const before = await page();
    const { code, stdout, stderr } = await atelier(['test-gpu']).finished;
    assert.deepEqual(
      [code, stdout, stderr],
      [0, 'There is no NVIDIA GPU here: nothing was tested, and nothing is recorded.\n', ''],
    );
    assert.equal(await page(), before);
  });

  test('its WebGPU half: inference and training of deep-bn on SwiftShader agree with the CPU; nothing is recorded', async (t) => {
    const driver = await softwareVulkan().catch(messageOf);
    if (typeof driver === 'string') {
      assert.equal(process.env['CI'], undefined, `${driver}. In CI this test may not be left out.`);
      return t.skip(driver);
    }
    const before = await page();
    const { code, stdout, stderr } = await atelier(['test-gpu', '--software', '--epochs', '2'], driver).finished;
    assert.equal(code, 0, stdout + stderr);
    for (const name of ['inference, onnx on webgpu', 'training, onnx on webgpu']) {
      assert.match(stdout, new RegExp(`^\\| ${name} +\\| [\\d,]+ .*\\| \\d\\.\\de-\\d+ +\\| passed +\\|$`, 'm'), name);
    }
    assert.equal(await page(), before);
  });

  test('without a driver the same is a failure that says why', async () => {
    const driver = { VK_DRIVER_FILES: '/nowhere', LD_LIBRARY_PATH: '' };
    const { code, stderr } = await atelier(['test-gpu', '--software', '--epochs', '2'], driver).finished;
    assert.equal(code, 1);
    assert.match(stderr, /^inference, onnx on cpu: passed/m);
    assert.match(stderr, /^inference, onnx on webgpu: failed: .*DEVICE=webgpu/m);
    assert.match(stderr, /^training, onnx on webgpu: failed: .*device webgpu cannot be used/m);
  });
});
