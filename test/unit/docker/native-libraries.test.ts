import assert from 'node:assert/strict';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { nativeLibraryFaults } from '../../../docker/build/native-libraries.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const RUNTIME = join('node_modules/onnxruntime-node/bin/napi-v6', process.platform, process.arch);
const CUDA = join(RUNTIME, 'libonnxruntime_providers_cuda.so');

describe('the native libraries of an image', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const write = async (path: string, bytes = 1) => {
    const file = join(folder.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '');
    await truncate(file, bytes); // sparse: it takes no room
  };

  beforeEach(async () => {
    folder = await temporaryFolder();
    for (const name of ['libonnxruntime.so.1', 'onnxruntime_binding.node']) await write(join(RUNTIME, name));
  });
  afterEach(() => folder.remove());

  async function addCuda(bytes = 300_000_000) {
    await write(join(RUNTIME, 'libonnxruntime_providers_shared.so'));
    await write(CUDA, bytes);
  }

  test('are those of onnxruntime for this system, and no others', async () => {
    assert.deepEqual(nativeLibraryFaults('cpu', folder.path), []);
    await write('node_modules/onnxruntime-node/bin/napi-v6/darwin/arm64/libonnxruntime.1.dylib');
    const [fault, ...others] = nativeLibraryFaults('cpu', folder.path);
    assert.match(fault ?? '', /darwin\/arm64\/libonnxruntime\.1\.dylib does not belong/);
    assert.deepEqual(others, []);
  });

  test('must be there', async () => {
    await rm(join(folder.path, 'node_modules'), { recursive: true });
    assert.equal(nativeLibraryFaults('cpu', folder.path).length, 2);
  });

  test('for CUDA have its provider, which npm does not bring', async () => {
    assert.match(nativeLibraryFaults('cuda', folder.path).join('\n'), /Expected \S+libonnxruntime_providers_cuda\.so/);
    await addCuda();
    assert.deepEqual(nativeLibraryFaults('cuda', folder.path), []);
  });

  test('for CUDA do not have a page of an error in the place of the provider', async () => {
    await addCuda(2_000);
    assert.match(nativeLibraryFaults('cuda', folder.path).join('\n'), /has 2000 bytes; the CUDA provider has at least/);
  });

  test("have no provider of TensorRT's, nor CUDA's where nobody asked for it", async () => {
    await addCuda();
    await write(join(RUNTIME, 'libonnxruntime_providers_tensorrt.so'));
    assert.match(
      nativeLibraryFaults('cuda', folder.path).join('\n'),
      /^\S+_tensorrt\.so does not belong \S+ \S+ \S+ for cuda\.$/,
    );
    assert.equal(nativeLibraryFaults('cpu', folder.path).length, 3);
  });

  test("for tfjs-node-gpu are TensorFlow's", async () => {
    assert.equal(nativeLibraryFaults('tfjs-gpu', folder.path).length, 3);
    const home = 'node_modules/@tensorflow/tfjs-node-gpu';
    for (const name of ['deps/lib/libtensorflow.so.2', 'deps/lib/libtensorflow_framework.so.2'])
      await write(join(home, name));
    await write(join(home, 'lib/napi-v8/tfjs_binding.node'));
    assert.deepEqual(nativeLibraryFaults('tfjs-gpu', folder.path), []);
  });
});
