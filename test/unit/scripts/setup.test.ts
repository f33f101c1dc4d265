import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setUpCudaProvider } from '../../../scripts/src/setup/cuda-provider.ts';
import { sha256Of } from '../../../scripts/src/setup/shared-library.ts';
import { setUpTfjsNodeGpu } from '../../../scripts/src/setup/tfjs-node-gpu.ts';
import { ROOT } from '../../support/programs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type ZipEntry, zipFile } from '../../support/zip-file.ts';

/** The libraries and their place are those of the one system that has them. */
const skip = process.platform !== 'linux' || process.arch !== 'x64';

const PACKAGE = 'Microsoft.ML.OnnxRuntime.Gpu.Linux';
const VERSION = '1.30.0';
const PLACE = 'bin/napi-v6/linux/x64';
const NATIVE = 'runtimes/linux-x64/native';
const [SHARED, CUDA] = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

/** The header of a shared library for x64, and a table of one section behind it. */
function library({ machine = 62, bytes = 128 } = {}): Buffer {
  const file = Buffer.alloc(128);
  file.write('\u007fELF', 'latin1');
  file[4] = 2;
  file.writeUInt16LE(machine, 18);
  file.writeBigUInt64LE(64n, 40);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(1, 60);
  return file.subarray(0, bytes);
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let count = 0;
before(async () => (folder = await temporaryFolder()));
after(() => folder.remove());
beforeEach(() => {
  root = join(folder.path, String(++count));
});

async function write(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), data);
}

/** Every file that was there or came, by its path in node_modules. */
async function installed(): Promise<string[]> {
  const entries = await readdir(join(root, 'node_modules'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + '/node_modules/'.length))
    .filter((path) => /\.(so|node)|setup/.test(path))
    .sort();
}

describe("onnxruntime's CUDA provider", { skip }, () => {
  /** onnxruntime-node with its own description of what it fetches, and a script of the test's in place of its own. */
  async function installRuntime(script = ''): Promise<void> {
    const source = join(ROOT, 'node_modules', 'onnxruntime-node', 'script');
    await write('node_modules/onnxruntime-node/package.json', JSON.stringify({ version: VERSION }));
    await cp(source, join(root, 'node_modules/onnxruntime-node/script'), { recursive: true });
    await write('node_modules/onnxruntime-node/script/install.js', script);
    await mkdir(join(root, 'node_modules/onnxruntime-node', PLACE), { recursive: true });
    await symlink(join(ROOT, 'node_modules', 'adm-zip'), join(root, 'node_modules', 'adm-zip'));
  }
  /** What the real script does, from a folder in place of the network. */
  const putting = (files: Record<string, Buffer>) => `
    const fs = require('node:fs'), path = require('node:path');
    if (process.env.ONNXRUNTIME_NODE_INSTALL !== 'true') process.exit(0);
    fs.writeFileSync(path.join(process.env.TMPDIR, 'half.nupkg'), 'half');
    const place = path.join(__dirname, '..', ${JSON.stringify(PLACE)});
    fs.mkdirSync(place, { recursive: true });
    for (const [name, data] of Object.entries(${JSON.stringify(
      Object.fromEntries(Object.entries(files).map(([name, data]) => [name, data.toString('base64')])),
    )})) fs.writeFileSync(path.join(place, name), Buffer.from(data, 'base64'));`;

  const nuspec = (version = VERSION, id = PACKAGE) => ({
    name: `${id}.nuspec`,
    data: Buffer.from(`<package><metadata><id>${id}</id><version>${version}</version></metadata></package>`),
  });
  const native = (name: string, data: Uint8Array = library()) => ({ name: `${NATIVE}/${name}`, data });
  const from = async (entries: readonly ZipEntry[]) => {
    await write('copy.nupkg', zipFile(entries));
    return setUpCudaProvider({ root, from: join(root, 'copy.nupkg') });
  };

  test('comes by the script of onnxruntime-node, whole, without that of TensorRT', async () => {
    const files = { [SHARED]: library(), [CUDA]: library(), 'libonnxruntime_providers_tensorrt.so': library() };
    await installRuntime(putting(files));
    const placed = await setUpCudaProvider({ root });
    const paths = [CUDA, SHARED].map((name) => `onnxruntime-node/${PLACE}/${name}`);
    assert.deepEqual(await installed(), paths);
    assert.deepEqual(placed.map((path) => path.slice(`${root}/node_modules/`.length)).sort(), paths);
  });

  test('that cannot be fetched is an error that says what to do, and nothing half written stays', async () => {
    await installRuntime(`${putting({ [CUDA]: library({ bytes: 90 }) })}
      throw new Error('getaddrinfo ENOTFOUND packages.example');`);
    await assert.rejects(setUpCudaProvider({ root }), (error: Error) => {
      assert.match(error.message, /could not be fetched: .*ENOTFOUND packages\.example/);
      assert.match(
        error.message,
        /NuGet's package Microsoft\.ML\.OnnxRuntime\.Gpu\.Linux, version 1\.30\.0, elsewhere/,
      );
      assert.match(error.message, /npm run setup:cuda -- --from FILE\.$/);
      return true;
    });
    assert.deepEqual(await installed(), []);
  });

  test('of a script that does nothing, or brings half a library, is refused', async () => {
    await installRuntime('');
    await assert.rejects(
      setUpCudaProvider({ root }),
      /ended well, but libonnxruntime_providers_shared\.so is not there/,
    );
    root = join(folder.path, String(++count));
    await installRuntime(putting({ [SHARED]: library(), [CUDA]: library({ bytes: 100 }) }));
    await assert.rejects(
      setUpCudaProvider({ root }),
      /providers_cuda\.so is no library .* it has 100 bytes of at least 128/,
    );
    assert.deepEqual(await installed(), []);
  });

  test('comes out of a package that was fetched elsewhere', async () => {
    await installRuntime();
    await from([nuspec(), native(SHARED), native(CUDA)]);
    assert.deepEqual(
      await installed(),
      [CUDA, SHARED].map((name) => `onnxruntime-node/${PLACE}/${name}`),
    );
  });

  const WRONG: [string, () => ZipEntry[], RegExp][] = [
    [
      'of another version',
      () => [nuspec('1.29.0'), native(SHARED), native(CUDA)],
      /is not .* 1\.30\.0: it is .* 1\.29\.0/,
    ],
    ['of another package', () => [nuspec(VERSION, 'Other'), native(CUDA)], /it is Other 1\.30\.0/],
    ['without a library', () => [nuspec(), native(SHARED)], /it has no runtimes\/linux-x64\/native\/.*cuda\.so/],
    [
      'with one for another processor',
      () => [nuspec(), native(SHARED), native(CUDA, library({ machine: 183 }))],
      /not for x64/,
    ],
    ['with one that is none', () => [nuspec(), native(SHARED), native(CUDA, Buffer.alloc(200))], /it is no ELF file/],
    ['with a wrong checksum', () => [nuspec(), native(SHARED), { ...native(CUDA), crc: 1 }], /is broken/],
  ];
  for (const [title, entries, message] of WRONG) {
    test(`a package ${title} is refused, and nothing is changed`, async () => {
      await installRuntime();
      await write(`node_modules/onnxruntime-node/${PLACE}/${SHARED}`, 'before');
      await assert.rejects(from(entries()), message);
      assert.deepEqual(await installed(), [`onnxruntime-node/${PLACE}/${SHARED}`]);
      assert.equal(await readFile(join(root, 'node_modules/onnxruntime-node', PLACE, SHARED), 'utf8'), 'before');
    });
  }

  test('a file that is no package at all is refused', async () => {
    await installRuntime();
    await write('copy.nupkg', 'a page that says "sign in"');
    await assert.rejects(
      setUpCudaProvider({ root, from: join(root, 'copy.nupkg') }),
      /cannot be read as a package of NuGet/,
    );
  });

  test('is shown with the digest of each file', async () => {
    await write('file', library());
    assert.equal(await sha256Of(join(root, 'file')), createHash('sha256').update(library()).digest('hex'));
  });
});

describe('tfjs-node-gpu', { skip }, () => {
  const NAME = '@tensorflow/tfjs-node-gpu';
  const FILES = [
    'deps/lib/libtensorflow.so.2',
    'deps/lib/libtensorflow_framework.so.2',
    'lib/napi-v8/tfjs_binding.node',
  ];

  /** npm, and where asked the script of the package, which brings these files. */
  const installing =
    (files: readonly string[] = FILES): NonNullable<Parameters<typeof setUpTfjsNodeGpu>[1]> =>
    async (_root, _packages, { scripts = false } = {}) => {
      await write(`node_modules/${NAME}/package.json`, JSON.stringify({ name: NAME, version: '4.22.0' }));
      if (scripts) for (const file of files) await write(`node_modules/${NAME}/${file}`, library());
    };
  /** An archive of the installed folder of another machine. */
  async function archive(files: Record<string, Uint8Array | string>): Promise<string> {
    await mkdir(join(root, 'node_modules'), { recursive: true });
    for (const [path, data] of Object.entries(files)) await write(`there/tfjs-node-gpu/${path}`, data);
    const words = ['-czf', join(root, 'copy.tgz'), '-C', join(root, 'there'), 'tfjs-node-gpu'];
    assert.equal(spawnSync('tar', words).status, 0);
    return join(root, 'copy.tgz');
  }
  const whole = (version = '4.22.0') => ({
    'package.json': JSON.stringify({ name: NAME, version }),
    ...Object.fromEntries(FILES.map((path) => [path, library()])),
  });

  test('comes by npm and its own script', async () => {
    assert.equal((await setUpTfjsNodeGpu({ root }, installing(), '20.1.0')).length, 3);
  });

  test('whose script brought nothing is an error that says what to do, and the package does not stay', async () => {
    await assert.rejects(
      setUpTfjsNodeGpu({ root }, installing([]), '22.1.0'),
      /is not there\. .*storage\.googleapis\.com.*--from/,
    );
    assert.deepEqual(await readdir(join(root, 'node_modules', '@tensorflow')), []);
  });

  test('that npm cannot install is an error that says what to do', async () => {
    const failing = () => Promise.reject(new Error('it ended by exit code 1'));
    await assert.rejects(
      setUpTfjsNodeGpu({ root }, failing, '20.1.0'),
      /^Error: it ended by exit code 1\. .*--from tfjs-node-gpu\.tgz\.$/,
    );
  });

  test('of a Node that it has no binaries for is refused at once', async () => {
    await assert.rejects(
      setUpTfjsNodeGpu({ root }, installing(), '24.0.0'),
      /has binaries for Node 20 and 22 only; this is 24\.0\.0/,
    );
  });

  test('comes out of an archive of another machine, with the packages of the registry', async () => {
    const from = await archive(whole());
    await setUpTfjsNodeGpu({ root, from }, installing(), '20.1.0');
    assert.deepEqual(await installed(), FILES.map((path) => `${NAME}/${path}`).sort());
  });

  test('an archive of another version, without a library, or that is none, is refused before npm runs', async () => {
    const never = () => Promise.reject(new Error('npm ran'));
    await assert.rejects(
      setUpTfjsNodeGpu({ root, from: await archive(whole('4.21.0')) }, never, '20.1.0'),
      /is not of .* 4\.22\.0: 4\.21\.0/,
    );
    root = join(folder.path, String(++count));
    const { 'deps/lib/libtensorflow.so.2': _library, ...rest } = whole() as Record<string, Buffer | string>;
    assert.ok(_library);
    await assert.rejects(
      setUpTfjsNodeGpu({ root, from: await archive(rest) }, never, '20.1.0'),
      /libtensorflow\.so\.2 is not there/,
    );
    await write('none.tgz', 'no archive');
    await assert.rejects(
      setUpTfjsNodeGpu({ root, from: join(root, 'none.tgz') }, never, '20.1.0'),
      /none\.tgz cannot be unpacked: .*gzip/,
    );
    await assert.rejects(
      setUpTfjsNodeGpu({ root, from: await archive({ 'package.json': '{ half' }) }, never, '20.1.0'),
      /\.tgz has a package\.json that cannot be read: .*JSON/,
    );
    assert.deepEqual(await installed(), []);
  });
});
