import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { messageOf } from '@atelier/domain';
import { Program, ROOT } from '../support/programs.ts';
import { softwareVulkan } from '../support/software-vulkan.ts';

/** Files of tests; each runs in a process of its own, because a Vulkan driver is found by the environment. */
const SUITES = [
  { title: "onnxruntime's WebGPU provider", file: 'onnxruntime.ts' },
  { title: 'the ONNX engine on WebGPU keeps the contract of the engines', file: 'onnx-engine.ts' },
  {
    title: 'the tfjs engine on WebGPU keeps the contract of the engines',
    file: 'tfjs-engine.ts',
    missing: () =>
      existsSync(join(ROOT, 'node_modules', 'webgpu')) ? null : 'webgpu is not installed: npm run setup:webgpu',
  },
];

describe('WebGPU on SwiftShader, a Vulkan driver without a GPU', () => {
  for (const { title, file, missing } of SUITES) {
    test(title, async (context) => {
      const reason = missing?.() ?? null;
      if (reason !== null) {
        leaveOut(context, reason);
        return;
      }
      const driver = await softwareVulkan().catch(messageOf);
      if (typeof driver === 'string') leaveOut(context, `SwiftShader cannot be had: ${driver}`);
      else await runSuite(context, file, driver);
    });
  }
});

/** Passes over a test where it cannot run, with the reason; a run that counts must have it. */
function leaveOut(context: TestContext, reason: string): void {
  assert.equal(process.env['CI'], undefined, `${reason}. In CI this test may not be left out.`);
  context.skip(reason);
}

async function runSuite(context: TestContext, file: string, environment: Record<string, string>): Promise<void> {
  const suite = join('test', 'devices', 'on-software-vulkan', file);
  const words = ['--import', 'tsx', '--test-reporter=spec', suite];
  // Without the runner's own variable the child reports to us in words.
  const child = new Program(process.execPath, words, { ...environment, NODE_TEST_CONTEXT: '' });
  const { code, stdout, stderr } = await child.finished;
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const passed = Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1] ?? 0);
  assert.ok(passed > 0, `no test ran:\n${stdout}\n${stderr}`);
  context.diagnostic(`${passed} tests passed`);
}
