import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { chooseDevice, defaultWorkers, deviceFaultOf, type DeviceFaultKind, PROBE_MODEL } from '@atelier/inference';
import { encodeModel, int, int64Tensor, model, node, value } from '@atelier/onnx';

const CUDA_CALL =
  '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:123 std::conditional_t<THRW, void, onnxruntime::common::Status> ' +
  'onnxruntime::CudaCall(ERRTYPE, const char*, const char*, ERRTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; ' +
  'bool THRW = true; std::conditional_t<THRW, void, onnxruntime::common::Status> = void] ';
const SET_DEVICE =
  ' ; GPU=32553 ; hostname=8518a28ba867 ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; ' +
  'line=245 ; expr=cudaSetDevice(info_.device_id);';
const WEBGPU_CONTEXT =
  '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const ' +
  'onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. ';

/** What was said, by onnxruntime 1.30 here or in the threads that device-faults.ts names, and what we make of it. */
const SAID: readonly [string, DeviceFaultKind, string][] = [
  [
    'libcublasLt.so.12: cannot open shared object file: No such file or directory',
    'library missing',
    'libcublasLt.so.12: cannot open shared object file: No such file or directory',
  ],
  [
    'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    'library missing',
    'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
  ],
  [
    'LoadLibrary failed with error 126 "" when trying to load "E:\\x\\build\\examples\\Release\\onnxruntime_providers_cuda.dll"',
    'library missing',
    'LoadLibrary failed with error 126 "" when trying to load "onnxruntime_providers_cuda.dll"',
  ],
  [
    '/srv/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_shared.so: file too short',
    'library broken',
    'libonnxruntime_providers_shared.so: file too short',
  ],
  [
    `${CUDA_CALL}CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version${SET_DEVICE}`,
    'driver',
    'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
  ],
  [
    `${CUDA_CALL}CUDA failure 100: no CUDA-capable device is detected${SET_DEVICE}`,
    'driver',
    'CUDA failure 100: no CUDA-capable device is detected',
  ],
  [`${CUDA_CALL}CUDA failure 999: unknown error${SET_DEVICE}`, 'driver', 'CUDA failure 999: unknown error'],
  [
    "Non-zero status code returned while running Relu node. Name:'Relu_2' Status Message: CUDA error " +
      'cudaErrorNoKernelImageForDevice:no kernel image is available for execution on the device',
    'driver',
    'CUDA error cudaErrorNoKernelImageForDevice:no kernel image is available for execution on the device',
  ],
  [
    `${CUDA_CALL}CUBLAS failure 1: CUBLAS_STATUS_NOT_INITIALIZED ; GPU=0 ; hostname=work5gpu ; expr=cublasCreate(&cublas_handle_);`,
    'driver',
    'CUBLAS failure 1: CUBLAS_STATUS_NOT_INITIALIZED',
  ],
  [
    `${CUDA_CALL}CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=egg ; expr=cublasCreate(&cublas_handle_);`,
    'memory',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
  ],
  [`${CUDA_CALL}CUDA failure 2: out of memory${SET_DEVICE}`, 'memory', 'CUDA failure 2: out of memory'],
  [
    "Non-zero status code returned while running Gemm node. Name:'g' Status Message: /onnxruntime_src/onnxruntime/core/framework/" +
      'bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested ' +
      'buffer of size 8388608000',
    'memory',
    'bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested ' +
      'buffer of size 8388608000',
  ],
  [
    'This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly ' +
      'disabled by the user.',
    'operator',
    'This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly ' +
      'disabled by the user',
  ],
  [
    "Could not find an implementation for Pad(13) node with name '/Pad'",
    'operator',
    "Could not find an implementation for Pad(13) node with name '/Pad'",
  ],
  [
    `${WEBGPU_CONTEXT}Failed to get a WebGPU adapter: No supported adapters\n`,
    'driver',
    'Failed to get a WebGPU adapter: No supported adapters',
  ],
  [
    'libvulkan.so.1: cannot open shared object file: No such file or directory',
    'library missing',
    'libvulkan.so.1: cannot open shared object file: No such file or directory',
  ],
  ['it ended the compute process: It ended by SIGSEGV.', 'driver', 'it ended the compute process: It ended by SIGSEGV'],
  ['the moon is full', 'unknown', 'the moon is full'],
];

describe('what a runtime, a loader or a driver says of a device', () => {
  for (const [message, kind, words] of SAID) {
    test(`${kind}: ${words}`, () => {
      for (const device of ['cuda', 'webgpu'] as const) {
        const fault = deviceFaultOf(device, message);
        assert.deepEqual([fault.kind, fault.words], [kind, words]);
        assert.match(fault.remedy, /\w.*\.$/);
      }
    });
  }

  test('is cut short, and has no path or name of the machine in it', () => {
    const { words } = deviceFaultOf('cuda', `at /home/ada/secret/place.cc:1 ${'x'.repeat(1000)}`);
    assert.match(words, /^at place\.cc:1 x+\.\.\.$/);
    assert.ok(words.length < 210);
  });
});

describe('which device is chosen', () => {
  const fails = (words: string) => () => Promise.reject(new DomainError('device-unavailable', words));
  const works = () => Promise.resolve();

  test('auto takes CUDA where it is proved, and else the CPU with the reason', async () => {
    const remedies: string[] = [];
    assert.deepEqual(await chooseDevice('auto', works), { requested: 'auto', actual: 'cuda', reason: null, remedies });
    const claim = await chooseDevice('auto', fails('CUDA failure 100: no CUDA-capable device is detected ; GPU=-1'));
    assert.equal(claim.actual, 'cpu');
    assert.equal(claim.reason, 'cuda: driver: CUDA failure 100: no CUDA-capable device is detected');
  });

  test('a device that is asked for by name is taken or nothing is; the CPU is not asked', async () => {
    for (const device of ['cuda', 'webgpu'] as const) {
      assert.equal((await chooseDevice(device, works)).actual, device);
      await assert.rejects(chooseDevice(device, fails('out of memory')), {
        code: 'device-unavailable',
        message: new RegExp(`^DEVICE=${device}: memory: out of memory\\. \\w`),
      });
    }
    assert.equal((await chooseDevice('cpu', fails('never asked'))).reason, null);
  });

  test('another failure is not taken for a fault of the device', async () => {
    await assert.rejects(
      chooseDevice('auto', () => Promise.reject(new Error('a bug'))),
      /a bug/,
    );
  });

  test('a GPU gets one engine, the CPU one for each core', () => {
    assert.equal(defaultWorkers('cpu', 8, true), 7);
    assert.equal(defaultWorkers('auto', 8, false), 7);
    assert.equal(defaultWorkers('cpu', 1, false), 1);
    assert.equal(defaultWorkers('auto', 8, true), 1);
    assert.equal(defaultWorkers('cuda', 8, false), 1);
    assert.equal(defaultWorkers('webgpu', 8, false), 1);
  });
});

test('the model that proves a device has the inputs, outputs and operators of a published graph', () => {
  const probe = model({
    name: 'probe',
    nodes: [
      node('ConstantOfShape', ['shape'], 'weights'),
      node('Cast', ['image'], 'pixels', { to: int(1) }),
      node('Flatten', ['pixels'], 'row', { axis: int(1) }),
      node('MatMul', ['row', 'weights'], 'logits'),
      node('Softmax', ['logits'], 'probabilities', { axis: int(1) }),
    ],
    inputs: [value('image', 'uint8', ['batch', 28, 28])],
    outputs: [value('logits', 'float32', ['batch', 10]), value('probabilities', 'float32', ['batch', 10])],
    initializers: [int64Tensor('shape', [2], [784, 10])],
    values: [],
  });
  assert.deepEqual(new Uint8Array(PROBE_MODEL), new Uint8Array(encodeModel(probe)));
});
