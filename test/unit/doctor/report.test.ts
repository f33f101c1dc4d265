import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { askedDevice, type Check, DoctorReport, type Finding, renderCheck, runDoctor } from '@atelier/doctor';

const check = (name: string, finding: Finding, group = 'machine'): Check => ({ group, name, examine: () => finding });

/** What the doctor prints, and its exit code. */
async function examined(checks: Check[], json = false) {
  let text = '';
  const code = await runDoctor(checks, { device: 'auto', json }, { write: (part) => (text += part) });
  return { code, text };
}

describe('the report of the doctor', () => {
  test('a note leaves the exit code at 0, a fault makes it 1', async () => {
    const note = check('driver', { status: 'note', summary: 'none' });
    const fault = check('libc', { status: 'fault', summary: 'musl', remedy: 'Use glibc.' });
    assert.equal((await examined([note])).code, 0);
    assert.equal((await examined([note, fault])).code, 1);
  });

  test('a line has the status, the name and what was found; a remedy follows; no line is longer than 80 columns', async () => {
    const summary = 'a sentence of many words '.repeat(12).trim();
    const { text } = await examined([
      check('cores', { status: 'ok', summary: '2 (no quota)' }),
      check('training-onnx-webgpu', { status: 'fault', summary, remedy: summary }, 'trainer'),
    ]);
    assert.match(text, /^machine\n {2}ok {5}cores +2 \(no quota\)$/m);
    assert.match(text, /^trainer\n {2}fault {2}training-onnx-webgpu +a sentence/m);
    assert.match(text, /^ +-> a sentence/m);
    assert.match(text, /^2 checks: 1 fault, 0 notes\. What was asked for \(device auto\) cannot be used\.$/m);
    for (const line of text.split('\n')) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  });

  test('is coloured on a terminal alone, and wraps as without', () => {
    const result = { group: 'gpu', name: 'vulkan', status: 'ok', summary: 'a b', facts: {} } as const;
    const coloured = renderCheck(result, true);
    assert.ok(coloured.includes('\u001b['));
    assert.ok(!renderCheck(result, false).includes('\u001b['));
    assert.equal(coloured.replaceAll(/\u001b\[\d+m/g, ''), renderCheck(result, false)); // eslint-disable-line no-control-regex
  });

  test('as JSON is one value of the schema, and nothing else', async () => {
    const { code, text } = await examined(
      [check('node', { status: 'ok', summary: '20', facts: { version: '20' } })],
      true,
    );
    const report = DoctorReport.parse(JSON.parse(text));
    assert.deepEqual([code, report.usable, report.checks[0]?.facts], [0, true, { version: '20' }]);
  });

  test('a check that throws is a fault in its own words, and the others are examined', async () => {
    const broken: Check = {
      group: 'machine',
      name: 'broken',
      examine: () => Promise.reject(new Error('no such thing')),
    };
    const { code, text } = await examined([broken, check('node', { status: 'ok', summary: 'there' })]);
    assert.equal(code, 1);
    assert.match(text, /fault {2}broken +could not be found out: no such thing/);
    assert.match(text, /ok {5}node +there/);
  });

  test('a fault without a remedy is refused by the schema', () => {
    const result = { group: 'gpu', name: 'vulkan', status: 'fault', summary: 'no', facts: {} };
    assert.equal(DoctorReport.safeParse({ usable: false, device: 'auto', checks: [result] }).success, false);
  });

  test('the option says which device is asked for, else the variable DEVICE, else auto; another name is refused', () => {
    assert.equal(askedDevice('cuda', { DEVICE: 'webgpu' }), 'cuda');
    assert.equal(askedDevice(undefined, { DEVICE: 'webgpu' }), 'webgpu');
    assert.equal(askedDevice(undefined, { DEVICE: '' }), 'auto');
    assert.throws(
      () => askedDevice(undefined, { DEVICE: 'tpu' }),
      /No device "tpu"; there is: auto, cpu, cuda, webgpu\./,
    );
  });
});
