import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCommands } from '../../../scripts/src/commands.ts';

test('a command is loaded by its own name, and all of them where nobody has the name', async () => {
  const all = await loadCommands(undefined, {});
  assert.ok(all.length > 10);
  for (const command of all) {
    const [found, ...others] = await loadCommands(command.name(), {});
    assert.equal(found?.name(), command.name());
    assert.equal(others.length, 0);
  }
  assert.equal((await loadCommands('constructor', {})).length, all.length);
});

test('a command that needs no settings is not kept from its work by wrong ones', async () => {
  const wrong = { TRAINER_PORT: 'http', TRAINER_DATASET_CACHE: '' };
  assert.equal((await loadCommands('tfjs-to-onnx', wrong)).length, 1);
});
