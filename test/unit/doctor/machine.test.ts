import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  coresCheck,
  libcCheck,
  memoryCheck,
  NODE_RANGE,
  nodeCheck,
  OLDEST_GLIBC,
  onnxruntimeCheck,
  readControlGroup,
  usableCores,
} from '@atelier/doctor';
import { ROOT } from '../../support/programs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { writtenFiles } from '../../support/written-files.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => (folder = await temporaryFolder()));
after(() => folder.remove());

const written = (files: Record<string, string>) => writtenFiles(folder.path, files);

describe('node', () => {
  test("is held to the range of the project's package.json", async () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
    assert.equal(NODE_RANGE, engines.node);
    assert.match(NODE_RANGE, /^>=\d+\.\d+$/);
  });

  test('of before is a fault with the version that is wanted; this one is none', async () => {
    assert.equal((await nodeCheck().examine()).status, 'ok');
    const old = await nodeCheck('20.18.3').examine();
    assert.deepEqual([old.status, old.remedy], ['fault', 'Install Node 20.19 or newer.']);
    assert.equal((await nodeCheck('20.19.0').examine()).status, 'ok');
    assert.match((await nodeCheck('24.1.0').examine()).summary, /tfjs-node-gpu alone would want Node 20 or 22/);
  });
});

describe('the C library', () => {
  test('musl is a fault whose remedy names Debian', async () => {
    const { status, summary, remedy } = await libcCheck({ platform: 'linux', glibc: null }).examine();
    assert.equal(status, 'fault');
    assert.match(summary, /musl/);
    assert.match(remedy ?? '', /Debian slim in place of Alpine/);
  });

  test('an old glibc is a fault; another system than Linux has its own', async () => {
    assert.equal((await libcCheck({ platform: 'linux', glibc: '2.27' }).examine()).status, 'fault');
    assert.equal((await libcCheck({ platform: 'linux', glibc: '2.28' }).examine()).status, 'ok');
    assert.equal((await libcCheck({ platform: 'darwin', glibc: null }).examine()).status, 'ok');
  });

  test(
    'the version that is wanted is the newest that the libraries of onnxruntime and sharp ask for',
    { skip: process.platform !== 'linux' },
    async () => {
      const asked = new Set<string>();
      const files = [
        join('onnxruntime-node', 'bin', 'napi-v6', 'linux', process.arch, 'libonnxruntime.so.1'),
        join('onnxruntime-node', 'bin', 'napi-v6', 'linux', process.arch, 'onnxruntime_binding.node'),
      ];
      for (const file of files) {
        const text = (await readFile(join(ROOT, 'node_modules', file))).toString('latin1');
        for (const [, version = ''] of text.matchAll(/GLIBC_(2\.\d+)/g)) asked.add(version);
      }
      const newest = [...asked].sort((a, b) => Number(a.slice(2)) - Number(b.slice(2))).at(-1);
      assert.equal(newest, OLDEST_GLIBC);
    },
  );
});

describe('cores and memory as a container has them', () => {
  const MEBIBYTES_512 = String(512 * 2 ** 20);

  test('cgroup v2: a quota and a limit, rounded down to whole cores, of which there is at least one', async () => {
    const root = await written({
      'cpu.max': '150000 100000\n',
      'memory.max': `${MEBIBYTES_512}\n`,
      membership: '0::/\n',
    });
    const group = readControlGroup({ root, membership: join(root, 'membership') });
    assert.deepEqual(group, { version: 2, cores: 1.5, memoryBytes: 512 * 2 ** 20 });
    assert.equal(usableCores(group), 1);
    assert.equal(usableCores({ cores: 0.25 }), 1);
    assert.equal(usableCores({ cores: 1000 }), availableParallelism());
    const cores = await coresCheck(group).examine();
    assert.match(cores.summary, /^1 \(a quota of 1\.5 by cgroup v2, of \d+ that may be used\)/);
    const memory = await memoryCheck(group).examine();
    assert.equal(memory.status, 'note');
    assert.match(memory.summary, /^512 MiB \(a limit by cgroup v2, of [\d.]+ GiB in the machine\): little/);
  });

  test('cgroup v2: the smallest limit of the groups above counts, and "max" is none', async () => {
    const root = await written({
      'a.slice/cpu.max': '300000 100000',
      'a.slice/memory.max': '1000000',
      'a.slice/b.service/cpu.max': 'max 100000',
      'a.slice/b.service/memory.max': 'max',
      membership: '0::/a.slice/b.service\n',
    });
    const group = readControlGroup({ root, membership: join(root, 'membership') });
    assert.deepEqual(group, { version: 2, cores: 3, memoryBytes: 1_000_000 });
  });

  test('cgroup v1: quota by period, and the largest number of pages is no limit', async () => {
    const root = await written({
      'cpu/cpu.cfs_quota_us': '250000',
      'cpu/cpu.cfs_period_us': '100000',
      'memory/memory.limit_in_bytes': '9223372036854771712',
      membership: '9:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n',
    });
    const files = { root, membership: join(root, 'membership') };
    assert.deepEqual(readControlGroup(files), { version: 1, cores: 2.5, memoryBytes: null });
    await writeFile(join(root, 'cpu/cpu.cfs_quota_us'), '-1');
    await writeFile(join(root, 'memory/memory.limit_in_bytes'), MEBIBYTES_512);
    assert.deepEqual(readControlGroup(files), { version: 1, cores: null, memoryBytes: 512 * 2 ** 20 });
  });

  test('without control groups nothing is limited', () => {
    const nowhere = join(folder.path, 'nowhere');
    const group = readControlGroup({ root: nowhere, membership: join(nowhere, 'membership') });
    assert.deepEqual(group, { version: null, cores: null, memoryBytes: null });
    assert.equal(usableCores(group), availableParallelism());
  });
});

describe('onnxruntime as it is installed', () => {
  const place = `bin/napi-v6/${process.platform}/${process.arch}`;
  const CORE = {
    'package.json': '{"version": "1.30.0"}',
    'dist/index.js': '',
    [`${place}/onnxruntime_binding.node`]: '',
    [`${place}/libonnxruntime.so.1`]: '',
  };
  const examine = async (files: Record<string, string>) => {
    const root = await written(files);
    return onnxruntimeCheck(() => pathToFileURL(join(root, 'dist', 'index.js')).href).examine();
  };

  test('is a fault where it is missing, or its libraries are', async () => {
    const missing = await onnxruntimeCheck(() => {
      throw new Error('Cannot find package');
    }).examine();
    assert.deepEqual([missing.status, missing.remedy], ['fault', 'Install it anew: npm ci.']);
    const empty = await examine({ 'package.json': CORE['package.json'] ?? '', 'dist/index.js': '' });
    assert.equal(empty.status, 'fault');
    assert.match(empty.summary, /lacks its libraries for/);
  });

  test(
    'says whether the CUDA provider lies beside it, whole',
    { skip: process.platform !== 'linux' || process.arch !== 'x64' },
    async () => {
      const without = await examine(CORE);
      assert.equal(without.status, 'note');
      assert.match(without.remedy ?? '', /npm run setup:cuda/);
      const half = await examine({ ...CORE, [`${place}/libonnxruntime_providers_cuda.so`]: '' });
      assert.match(half.summary, /half of a CUDA provider/);
      const whole = await examine({
        ...CORE,
        [`${place}/libonnxruntime_providers_cuda.so`]: '',
        [`${place}/libonnxruntime_providers_shared.so`]: '',
      });
      assert.deepEqual([whole.status, whole.facts?.['cudaProvider']], ['ok', true]);
    },
  );
});
