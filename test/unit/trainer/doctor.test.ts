import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accessCheck, queueChecks, trainingDeviceChecks, tryTraining, type TryTraining } from '@atelier/trainer';

/** Engines on devices that work, by `<engine>-<device>`; the others say that they do not, and tfjs on webgpu crashes. */
const working =
  (...usable: string[]): TryTraining =>
  async (engine, device) => {
    if (usable.includes(`${engine}-${device}`)) {
      return { engine, device, usable: true, name: device, reason: null, remedy: null };
    }
    if (engine === 'tfjs' && device === 'webgpu') throw new Error('The process for "try-training" ended by SIGSEGV.');
    return { engine, device, usable: false, name: null, reason: 'not installed', remedy: 'npm run setup:cuda' };
  };

/** The statuses by the names of the checks. */
async function statuses(asked: Parameters<typeof trainingDeviceChecks>[0], tryThem: TryTraining) {
  const found = trainingDeviceChecks(asked, tryThem).map(async ({ name, examine }) => [name, (await examine()).status]);
  return Object.fromEntries(await Promise.all(found)) as Record<string, string>;
}

describe('training on each device, by the doctor', () => {
  test('with auto one engine on the processor must work, and a GPU need not', async () => {
    const found = await statuses('auto', working('onnx-cpu'));
    assert.deepEqual([found['training-onnx-cpu'], found['training-tfjs-cpu']], ['ok', 'note']);
    assert.equal(found['training-onnx-cuda'], 'note');
    assert.deepEqual((await statuses('auto', working()))['training-onnx-cpu'], 'fault');
  });

  test('on a device that is asked for one engine must work', async () => {
    const none = await statuses('cuda', working('onnx-cpu', 'tfjs-cpu'));
    assert.deepEqual([none['training-onnx-cuda'], none['training-tfjs-cuda']], ['fault', 'fault']);
    const one = await statuses('cuda', working('onnx-cuda'));
    assert.deepEqual([one['training-onnx-cuda'], one['training-tfjs-cuda']], ['ok', 'note']);
  });

  test('that crashes is told by the signal', async () => {
    const check = trainingDeviceChecks('webgpu', working()).find(({ name }) => name === 'training-tfjs-webgpu');
    const finding = await check?.examine();
    assert.equal(finding?.status, 'fault');
    assert.equal(finding.summary, 'The process for "try-training" ended by SIGSEGV');
  });

  test('the trial trains: the loss falls', async () => {
    const report = await tryTraining('onnx', 'cpu');
    assert.deepEqual([report.usable, report.reason], [true, null]);
  });
});

describe('the service, by the doctor', () => {
  test('on an address that others reach has a token, or does not start', async () => {
    const examine = async (host: string, token?: string) => accessCheck({ host, token }).examine();
    assert.equal((await examine('127.0.0.1')).status, 'ok');
    assert.equal((await examine('0.0.0.0', 'a-token-of-a-test-and-no-other')).status, 'ok');
    const open = await examine('0.0.0.0');
    assert.equal(open.status, 'fault');
    assert.match(open.summary, /^TRAINER_HOST=0\.0\.0\.0 would let anyone .*; set TRAINER_TOKEN, /);
  });

  test('without QUEUE_URL has no queue that could be away', () => {
    assert.deepEqual(queueChecks({ queueUrl: undefined, queuePrefix: 'atelier' }), []);
  });
});
