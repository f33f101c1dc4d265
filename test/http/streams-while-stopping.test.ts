import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { smallRun, testTrainer } from '../support/trainer-service.ts';

test('a client that asks for the events of a run while the service stops is told to come back', async () => {
  const { app, trainer, closeStreams, remove } = await testTrainer();
  try {
    const { stored } = await trainer.submit(smallRun());
    closeStreams();
    const { status, text } = await request(app).get(`/runs/${stored.id}/events`).buffer(true);
    assert.deepEqual([status, text], [200, 'retry: 1000\n\n']); // 204, and any status but 200, would be for good
  } finally {
    await remove();
  }
});
