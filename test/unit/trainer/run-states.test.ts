import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isFinal, requireLegal, RUN_STATES } from '@atelier/trainer';

describe('the states of a run', () => {
  test('are final where nothing happens any more unless somebody asks for it', () => {
    assert.deepEqual(RUN_STATES.filter(isFinal), ['finished', 'failed', 'cancelled']);
  });

  test('allow a transition, or say in which states it would be allowed', () => {
    requireLegal('resume', { id: 'a', state: 'failed' });
    assert.throws(() => requireLegal('resume', { id: 'a', state: 'finished' }), {
      code: 'illegal-transition',
      message: 'Run a is finished and cannot be resumed; it could be one that is interrupted, failed, cancelled.',
      details: { state: 'finished', legalStates: ['interrupted', 'failed', 'cancelled'] },
    });
  });

  test('let each state be left by something', () => {
    for (const state of RUN_STATES) {
      const possible = (['cancel', 'resume', 'publish', 'delete'] as const).filter((transition) => {
        try {
          requireLegal(transition, { id: 'a', state });
          return true;
        } catch {
          return false;
        }
      });
      assert.ok(possible.includes(state === 'queued' || state === 'running' ? 'cancel' : 'delete'), state);
    }
  });
});
