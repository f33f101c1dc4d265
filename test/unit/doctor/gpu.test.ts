import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { cudaCheck, driverCheck, ONNXRUNTIME_CUDA, tfjsNodeGpuCheck, vulkanCheck } from '@atelier/doctor';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { writtenFiles } from '../../support/written-files.ts';

/** The names of libraries below are those of Linux. */
const skip = process.platform !== 'linux';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let empty: string;
before(async () => {
  folder = await temporaryFolder();
  empty = join(folder.path, 'empty');
  await mkdir(empty);
});
after(() => folder.remove());

const written = (files: Record<string, string>) => writtenFiles(folder.path, files);

const places = (...folders: string[]) => ({ folders, cache: '', unlinked: [] });
const whole = () => written(Object.fromEntries(ONNXRUNTIME_CUDA.sonames.map((soname) => [soname, ''])));
const cuda = (found: Parameters<typeof cudaCheck>[3]) => cudaCheck('gpu', 'cuda', ONNXRUNTIME_CUDA, found).examine();

describe('CUDA and cuDNN', { skip }, () => {
  test('none of them is a note that says what to install', async () => {
    const { status, summary, remedy } = await cuda(places(empty));
    assert.equal(status, 'note');
    assert.match(summary, /^none of what onnxruntime's CUDA provider wants \(CUDA 12 and cuDNN 9\)$/);
    assert.match(remedy ?? '', /install CUDA 12 and cuDNN 9/);
  });

  test('another version is told: a runtime of CUDA 13 is none of CUDA 12', async () => {
    const root = await written({ 'libcudart.so.13.0.96': '' });
    await symlink(join(root, 'libcudart.so.13.0.96'), join(root, 'libcudart.so.13'));
    const { summary, facts } = await cuda(places(root));
    assert.match(summary, /none of .*; there is CUDA 13\.0\.96/);
    assert.deepEqual(facts?.['otherVersions'], ['13.0.96']);
  });

  test('all of them on the way of the linker are well, with their versions by the names behind the links', async () => {
    const root = await whole();
    await writeFile(join(root, 'libcudnn.so.9.1.0'), '');
    const linked = await written({});
    await mkdir(linked);
    for (const soname of ONNXRUNTIME_CUDA.sonames) {
      await symlink(join(root, soname === 'libcudnn.so.9' ? 'libcudnn.so.9.1.0' : soname), join(linked, soname));
    }
    const { status, summary } = await cuda(places(linked));
    assert.equal(status, 'ok');
    assert.match(summary, /^CUDA 12, cuDNN 9\.1\.0;/);
  });

  test('one that is missing is named', async () => {
    const names = ONNXRUNTIME_CUDA.sonames.filter((soname) => soname !== 'libcudnn.so.9');
    const { status, summary } = await cuda(places(await written(Object.fromEntries(names.map((name) => [name, ''])))));
    assert.equal(status, 'note');
    assert.match(summary, /^not libcudnn\.so\.9 of what/);
  });

  test('a toolkit that the linker is not told of is found, and the remedy names its folder', async () => {
    const root = await whole();
    const { status, remedy } = await cuda({ folders: [], cache: '', unlinked: [root] });
    assert.equal(status, 'note');
    assert.ok(remedy?.startsWith(`Set LD_LIBRARY_PATH=${root},`), remedy);
  });

  test("a line of the linker's cache counts where its file is there and of this processor", async () => {
    const root = await whole();
    const kind = process.arch === 'arm64' ? 'libc6,AArch64' : 'libc6,x86-64';
    const lines = (architecture: string) =>
      ONNXRUNTIME_CUDA.sonames.map((name) => `\t${name} (${architecture}) => ${join(root, name)}`).join('\n');
    assert.equal((await cuda({ folders: [], cache: lines(kind), unlinked: [] })).status, 'ok');
    assert.equal((await cuda({ folders: [], cache: lines('libc6,ELFv2'), unlinked: [] })).status, 'note');
  });
});

describe('the NVIDIA driver', { skip }, () => {
  const VERSION =
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: 12.2.0\n';
  const OPEN = 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n';
  const examine = async (version: string | null, library: boolean) => {
    const root = await written({
      ...(version !== null && { version }),
      ...(library && { 'libcuda.so.1': '' }),
      other: '',
    });
    return driverCheck(places(root), join(root, 'version')).examine();
  };

  test('none is a note; both of its halves are well, of the open module, too', async () => {
    assert.match((await examine(null, false)).summary, /^none, so no CUDA$/);
    assert.deepEqual(
      [(await examine(VERSION, true)).status, (await examine(VERSION, true)).facts?.['version']],
      ['ok', '550.54.15'],
    );
    assert.equal((await examine(OPEN, true)).facts?.['version'], '580.65.06');
  });

  test('one that is too old for CUDA 12 is told, and a container without its library, with the remedy', async () => {
    const old = await examine(VERSION.replace('550.54.15', '470.256.02'), true);
    assert.deepEqual([old.status, old.remedy], ['note', 'Update the driver to 525.60.13 or newer.']);
    assert.match((await examine(VERSION, false)).remedy ?? '', /--gpus all/);
    assert.match((await examine(null, true)).summary, /no driver in the kernel/);
  });
});

describe('Vulkan', { skip }, () => {
  test('needs a loader and a driver: without each the remedy names it', async () => {
    const loader = await written({ 'libvulkan.so.1': '' });
    const driver = await written({ 'gpu.json': '{"ICD": {"library_path": "./libgpu.so"}}', 'libgpu.so': '' });
    const neither = await vulkanCheck(places(empty), {}, [empty]).examine();
    assert.equal(neither.status, 'note');
    assert.match(neither.remedy ?? '', /libvulkan1.*driver of the GPU/);
    assert.equal((await vulkanCheck(places(loader), {}, [driver]).examine()).status, 'ok');
    const noDriver = await vulkanCheck(places(loader), {}, [empty]).examine();
    assert.doesNotMatch(noDriver.remedy ?? '', /libvulkan1/);
  });

  test('takes the drivers that VK_DRIVER_FILES names in place of those in the folders', async () => {
    const loader = await written({ 'libvulkan.so.1': '' });
    const driver = await written({ 'gpu.json': '{"ICD": {"library_path": "./gone.so"}}' });
    const file = join(driver, 'gpu.json');
    const { status, summary } = await vulkanCheck(places(loader), { VK_DRIVER_FILES: file }, [loader]).examine();
    assert.equal(status, 'note');
    assert.ok(summary.includes(`${file} names a library that is not there (./gone.so)`), summary);
  });
});

describe('tfjs-node-gpu', () => {
  const examine = async (code: string) => {
    const root = await written({ 'index.mjs': code });
    return tfjsNodeGpuCheck(() => pathToFileURL(join(root, 'index.mjs')).href).examine();
  };

  test('is a note where it is not installed', async () => {
    const { status, summary, remedy } = await tfjsNodeGpuCheck(() => import.meta.resolve('no-such-package')).examine();
    assert.deepEqual([status, summary], ['note', 'not installed']);
    assert.match(remedy ?? '', /npm run setup:tfjs-gpu/);
  });

  test('that crashes takes its own process with it, and not the doctor', async () => {
    const { status, summary } = await examine('process.abort();');
    assert.equal(status, 'note');
    assert.match(summary, /^installed, but does not load: its process ended by SIGABRT/);
  });

  test('whose library is missing is told in the words of the loader', async () => {
    const { summary } = await examine("throw new Error('libcudart.so.11.0: cannot open shared object file');");
    assert.match(summary, /exit code 1: Error: libcudart\.so\.11\.0: cannot open shared object file/);
  });

  test('that loads says whether it has a GPU', async () => {
    const module = (gpu: boolean) =>
      `export const version_core = '4.22.0'; export const ready = async () => {}; export const backend = () => ({ isUsingGpuDevice: ${gpu} });`;
    assert.equal((await examine(module(true))).status, 'ok');
    assert.match((await examine(module(false))).summary, /^loads, but sees no GPU/);
  });
});
