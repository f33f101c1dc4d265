import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { RunFolder } from '@atelier/trainer';
import request from 'supertest';
import { smallRun, testTrainer } from '../support/trainer-service.ts';

test('a client that asks for the events of a run while the service stops is told to come back', async () => {
  const service = await testTrainer();
  try {
    const { stored } = await service.trainer.submit(smallRun());
    service.closeStreams();
    const { status, text } = await request(service.app).get(`/runs/${stored.id}/events`).buffer(true);
    assert.deepEqual([status, text], [200, 'retry: 1000\n\n']); // 204, and any status but 200, would be for good
  } finally {
    await service.remove();
  }
});

test(
  'the events of a run go on until its end is told, although its state says it before',
  { timeout: 20_000 },
  async () => {
    const service = await testTrainer();
    try {
      const { stored } = await service.trainer.submit(smallRun());
      const folder = await RunFolder.open(stored.directory);
      await folder.update({ state: 'cancelled', endedAt: new Date().toISOString() }); // in the middle of its end
      const answer = request(service.app).get(`/runs/${stored.id}/events`).set('Last-Event-ID', '1').buffer(true);
      const answered = answer.then(({ status, text }) => [status, /event: (.*)/.exec(text)?.[1]]);
      await pause(500);
      await folder.cancel('Somebody asked for it.');
      assert.deepEqual(await answered, [200, 'cancelled']);
      await folder.release();
    } finally {
      await service.remove();
    }
  },
);
