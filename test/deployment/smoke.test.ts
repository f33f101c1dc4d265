import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { smokeTest } from '../../docker/smoke.ts';
import { type RunningServices, startServices } from '../support/deployment/running-services.ts';
import { ROOT } from '../support/programs.ts';

const nobody = () => undefined;

describe('what is asked of services that have just been brought up', () => {
  let services: RunningServices;
  before(async () => {
    services = await startServices();
  });
  after(() => services.close());

  test('holds for both as they are started here', async () => {
    const found: string[] = [];
    await smokeTest(services, (line) => found.push(line));
    assert.equal(found.length, 6);
  });

  test('says what does not hold: the address of another, a token of another, a service that is gone', async () => {
    const { inference, trainer } = services;
    await assert.rejects(
      smokeTest({ ...services, inference: trainer }, nobody),
      /the probes of inference answer: .* 401/,
    );
    await assert.rejects(smokeTest({ ...services, token: 'of-somebody-else' }, nobody), /without its token.* 401/);
    await assert.rejects(smokeTest({ ...services, trainer: inference }, nobody), /without its token.* 404/);
    await assert.rejects(smokeTest({ ...services, inference: 'http://127.0.0.1:1' }, nobody), /Not so: the probes/);
  });
});

test('npm run test:compose says on one line that no Docker is there, and has not failed', async () => {
  const script = join(ROOT, 'docker', 'compose.test.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], {
    cwd: ROOT,
    env: { PATH: '/nowhere' },
  });
  assert.match(stdout, /^docker\/compose\.yaml was not tried: docker version failed \(.*ENOENT.*\)\.\n$/);
});
