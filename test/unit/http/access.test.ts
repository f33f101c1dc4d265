import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AccessToken,
  createApplication,
  probeRoutes,
  readSettings,
  refuseOpenAddress,
  requireToken,
} from '@atelier/http';
import type { RequestHandler } from 'express';
import request from 'supertest';
import { z } from 'zod';
import { problemOf } from '../../support/answers.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const token = 'correct-horse-battery-staple';
const { log, text } = recordedLog();
const hello: RequestHandler = (incoming, response, next) => {
  if (incoming.path === '/hello') response.json({ hello: 'you' });
  else next();
};
const guarded = createApplication(log, [
  requireToken(token, ['/healthz', '/readyz']),
  probeRoutes({ readiness: () => ({}) }),
  hello,
]);

describe('a service with a token', () => {
  test('answers whoever brings it, in whatever case the scheme is written', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      await request(guarded).get('/hello').set('Authorization', `${scheme} ${token}`).expect(200);
    }
  });

  test('answers its probes without it', async () => {
    await request(guarded).get('/healthz').expect(200, { status: 'alive' });
    await request(guarded).head('/readyz').expect(200);
  });

  const refused: Record<string, string> = {
    'another token': 'Bearer correct-horse-battery-stable',
    'a part of the token': `Bearer ${token.slice(0, -1)}`,
    'the token and more': `Bearer ${token}x`,
    'an empty token': 'Bearer ',
    'the token under another scheme': `Basic ${token}`,
    'the token alone': token,
    'two tokens': `Bearer ${token} ${token}`,
  };
  for (const [what, authorization] of Object.entries(refused)) {
    test(`refuses ${what} and calls it invalid`, async () => {
      const answer = request(guarded).get('/hello').set('Authorization', authorization);
      const { detail } = await problemOf(answer, 401, 'unauthorized');
      assert.match(detail ?? '', /^Expected the header "Authorization: Bearer <token>".* came\.$/);
      assert.equal((await answer).headers['www-authenticate'], 'Bearer error="invalid_token"');
    });
  }

  test('asks for it, and speaks of no error, where no credentials came', async () => {
    const answer = request(guarded).get('/hello');
    await problemOf(answer, 401, 'unauthorized');
    assert.equal((await answer).headers['www-authenticate'], 'Bearer');
  });

  test('takes it from nowhere but the header', async () => {
    await problemOf(request(guarded).get(`/hello?access_token=${token}`), 401, 'unauthorized');
    await problemOf(request(guarded).post('/hello').type('form').send({ access_token: token }), 401, 'unauthorized');
  });

  test('does not say which paths there are', async () => {
    for (const path of ['/nothing', '/healthz/', '/HEALTHZ', '/healthz/../hello', '//healthz', '/hello?/healthz']) {
      await problemOf(request(guarded).get(path), 401, 'unauthorized');
    }
    await problemOf(request(guarded).options('/hello'), 401, 'unauthorized');
  });

  test('logs no token, neither its own nor a wrong one', async () => {
    await request(guarded).get('/hello').set('Authorization', `Bearer ${token}`);
    await request(guarded).get('/hello').set('Authorization', 'Bearer nearly-the-right-one');
    assert.match(text(), /"path":"\/hello"/);
    assert.doesNotMatch(text(), /horse|nearly/);
  });
});

test('a service without a token answers everybody', async () => {
  await request(createApplication(log, [requireToken(null, []), hello]))
    .get('/hello')
    .expect(200);
});

describe('the setting of a token', () => {
  const Settings = z.object({
    token: AccessToken.nullable().default(null).meta({ variable: 'TOKEN', description: 'Who may', secret: true }),
  });

  test('is none where the variable is unset or empty', () => {
    assert.deepEqual(readSettings(Settings, {}), { token: null });
    assert.deepEqual(readSettings(Settings, { TOKEN: '' }), { token: null });
  });

  test('takes 16 to 4,096 characters of printable ASCII without spaces', () => {
    for (const good of ['sixteen-letters!', '~'.repeat(4096), token]) {
      assert.deepEqual(readSettings(Settings, { TOKEN: good }), { token: good });
    }
    for (const bad of ['fifteen-letters', 'sixteen letters!', `${token}\n`, 'sechzehn-zeichen-ä', 'a'.repeat(4097)]) {
      assert.throws(() => readSettings(Settings, { TOKEN: bad }), { code: 'invalid-configuration' }, bad);
    }
  });

  test('does not tell a wrong value, while it tells those of other settings', () => {
    const Both = Settings.extend({ level: z.enum(['low']).meta({ variable: 'LEVEL', description: 'How much' }) });
    assert.throws(
      () => readSettings(Both, { TOKEN: 'hunter2', LEVEL: 'top' }),
      ({ message }: Error) => {
        assert.match(message, /: TOKEN: expected 16 to 4,096 characters.*; LEVEL=top: /);
        return !message.includes('hunter2');
      },
    );
  });
});

describe('an address to listen on', () => {
  const service = { hostVariable: 'TRAINER_HOST', tokenVariable: 'TRAINER_TOKEN', danger: 'start trainings' };

  test('may be of this machine only, without a token', () => {
    for (const host of [
      '127.0.0.1',
      '127.255.0.9',
      '::1',
      '0:0:0:0:0:0:0:1',
      'localhost',
      'LocalHost',
      '::ffff:127.0.0.1',
    ]) {
      refuseOpenAddress(host, null, service);
    }
  });

  test('that others reach is refused without a token, with what could happen and what to do', () => {
    assert.throws(() => refuseOpenAddress('0.0.0.0', null, service), {
      code: 'invalid-configuration',
      message:
        'TRAINER_HOST=0.0.0.0 would let anyone who reaches this machine start trainings; ' +
        'set TRAINER_TOKEN, or listen on 127.0.0.1.',
    });
    for (const host of [
      '::',
      '192.168.1.2',
      '::ffff:10.0.0.1',
      '128.0.0.1',
      'localhost.example',
      'trainer',
      '127.evil',
    ]) {
      assert.throws(() => refuseOpenAddress(host, null, service), { code: 'invalid-configuration' }, host);
    }
  });

  test('may be any with a token', () => {
    refuseOpenAddress('0.0.0.0', token, service);
  });
});
