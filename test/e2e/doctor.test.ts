import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, statfs } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { messageOf } from '@atelier/domain';
import { DoctorReport } from '@atelier/doctor';
import { atelier, type Finished, Program, ROOT } from '../support/programs.ts';
import { softwareVulkan } from '../support/software-vulkan.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Programs know a check by its name: these stay. */
const MACHINE = ['node', 'libc', 'cores', 'memory', 'onnxruntime', 'nvidia-driver', 'cuda-for-onnxruntime', 'vulkan'];
const INFERENCE = [
  ...['models-folder', 'published-version', 'scratch-folder', 'bundle-cache', 'inference-port', 'pictures'],
  ...['inference-cpu', 'inference-cuda', 'inference-webgpu'],
];
const TRAINER = [
  ...['runs-folder', 'publishing-folder', 'dataset-cache', 'trainer-port', 'trainer-access'],
  ...['cuda-for-tfjs', 'tfjs-node-gpu'],
  ...['training-onnx-cpu', 'training-tfjs-cpu', 'training-onnx-cuda', 'training-tfjs-cuda'],
  ...['training-onnx-webgpu', 'training-tfjs-webgpu'],
];

describe('the doctor', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let environment: Record<string, string>;
  before(async () => {
    folder = await temporaryFolder();
    environment = { RUNS_DIR: folder.path, INFERENCE_PORT: '0', TRAINER_PORT: '0', DEVICE: '' };
  });
  after(() => folder.remove());

  const reportOf = (text: string) => {
    const report = DoctorReport.parse(JSON.parse(text));
    const of = (name: string) => report.checks.find((check) => check.name === name) ?? assert.fail(name);
    return { report, of };
  };
  const service = (name: 'inference' | 'trainer', words: string[], more: Record<string, string> = {}): Program =>
    new Program(process.execPath, ['--import', 'tsx', `services/${name}/src/main.ts`, '--doctor', ...words], {
      ...environment,
      ...more,
    });

  test('atelier doctor --json: every check by its name, and what it says of this machine is so', async () => {
    const { code, stdout, stderr } = await atelier(['doctor', '--json'], environment).finished;
    assert.equal(code, 0, stdout + stderr);
    const { report, of } = reportOf(stdout);
    assert.deepEqual([report.usable, report.device], [true, 'auto']);
    const inference = INFERENCE.filter((name) => name !== 'bundle-cache' || report.checks.some((c) => c.name === name));
    assert.deepEqual(
      report.checks.map(({ name }) => name),
      [...MACHINE, ...inference, ...TRAINER],
    );
    assert.equal(of('node').facts['version'], process.versions.node);
    assert.equal(of('cores').facts['allowed'], availableParallelism());
    const total = /MemTotal: +(\d+) kB/.exec(await readFile('/proc/meminfo', 'utf8').catch(() => ''))?.[1];
    if (total !== undefined) assert.equal(of('memory').facts['totalBytes'], Number(total) * 1024);
    const installed = JSON.parse(await readFile(join(ROOT, 'node_modules/onnxruntime-node/package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(of('onnxruntime').facts['version'], installed.version);
    const { bavail, bsize } = await statfs(folder.path);
    const free = Number(of('runs-folder').facts['freeBytes']);
    assert.ok(Math.abs(free - bavail * bsize) < 2 ** 30, 'other tests write meanwhile');
    assert.deepEqual(of('pictures').facts['refused'], ['SVG', 'PPM']);
    for (const name of ['inference-cpu', 'training-onnx-cpu', 'training-tfjs-cpu']) {
      assert.deepEqual([of(name).status, of(name).facts['usable']], ['ok', true], name);
    }
  });

  test('a service with --doctor says the same of the machine and of itself; what is asked for and missing makes it exit 1', async () => {
    const program = service('inference', ['--json', '--device', 'cuda']);
    const { code, stdout, stderr } = await program.finished;
    const { report, of } = reportOf(stdout);
    const names = report.checks.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name !== 'bundle-cache'),
      [...MACHINE, ...INFERENCE.filter((name) => name !== 'bundle-cache')],
    );
    const { status, facts, remedy } = of('inference-cuda');
    assert.equal(facts['asked'], true);
    assert.equal(code, facts['usable'] === true ? 0 : 1, stderr);
    if (facts['usable'] === true) return; // a machine with a GPU
    assert.equal(status, 'fault');
    assert.match(remedy ?? '', /npm run setup:cuda|nvidia-smi/);
    assert.equal(of('inference-cpu').status, 'ok');
  });

  test('the trainer with --doctor: DEVICE asks; a port that another has and runs that cannot be kept are faults', async (t) => {
    const other = createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const faulty = { TRAINER_PORT: String(port), RUNS_DIR: join(ROOT, 'package.json'), DEVICE: 'cpu' };
    const { code, stdout } = await service('trainer', [], faulty).finished;
    assert.equal(code, 1);
    assert.match(stdout, /^ {2}fault {2}runs-folder/m);
    assert.match(
      stdout,
      new RegExp(`^ {2}fault {2}trainer-port +127\\.0\\.0\\.1:${port} is taken by another program$`, 'm'),
    );
    assert.match(stdout, /^ {2}ok {5}training-onnx-cpu +trained a network on cpu/m);
    assert.match(stdout, /2 faults, \d+ notes\. What was asked for \(device cpu\) cannot be used\.\n$/);
    for (const line of stdout.split('\n')) {
      assert.ok(line.length <= 80 || line.trim().split(' ').length === 1 || line.includes('/'), line);
    }
  });

  test('finds a Vulkan driver and computes on it: inference and training on WebGPU, by SwiftShader', async (t) => {
    const driver = await softwareVulkan().catch(messageOf);
    if (typeof driver === 'string') {
      assert.equal(process.env['CI'], undefined, `${driver}. In CI this test may not be left out.`);
      return t.skip(driver);
    }
    const asked = ['--json', '--device', 'webgpu'];
    for (const [name, line] of [
      ['inference', 'inference-webgpu'],
      ['trainer', 'training-onnx-webgpu'],
    ] as const) {
      const { code, stdout, stderr }: Finished = await service(name, asked, driver).finished;
      assert.equal(code, 0, stdout + stderr);
      const { of } = reportOf(stdout);
      assert.deepEqual([of(line).status, of(line).facts['asked'], of('vulkan').status], ['ok', true, 'ok']);
    }
  });

  test('a device or an option that there is not is used wrongly', async () => {
    const { code, stderr } = await service('inference', ['--device', 'tpu']).finished;
    assert.deepEqual([code, stderr], [2, '--doctor: No device "tpu"; there is: auto, cpu, cuda, webgpu.\n']);
    const wrong = await service('trainer', [], { TRAINER_PORT: 'none' }).finished;
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /TRAINER_PORT=none: expected a whole number/);
  });
});
