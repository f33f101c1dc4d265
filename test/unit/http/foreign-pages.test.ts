import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createApplication, createLog, listen, refuseForeignPages } from '@atelier/http';
import type { RequestHandler } from 'express';
import request from 'supertest';
import { problemOf } from '../../support/answers.ts';

const log = createLog('test', 'silent');
const hello: RequestHandler = (_request, response) => void response.json({ hello: 'you' });
const withoutToken = createApplication(log, [refuseForeignPages(), hello]);
const withToken = createApplication(log, [refuseForeignPages(null), hello]);

const post = (headers: Record<string, string>, app = withoutToken) =>
  request(app)
    .post('/runs')
    .set({ Host: 'localhost:8081', ...headers });
const get = (headers: Record<string, string>, app = withoutToken) =>
  request(app)
    .get('/runs')
    .set({ Host: 'localhost:8081', ...headers });

describe('a service without a token', () => {
  for (const host of [
    'localhost',
    'LOCALHOST:8081',
    'trainer.localhost',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]:8081',
    '[::ffff:127.0.0.1]',
  ]) {
    test(`goes by ${host}`, async () => {
      await get({ Host: host }).expect(200);
      await post({ Host: host, Origin: `http://${host}`.toLowerCase() }).expect(200);
    });
  }

  // A page of rebound.example whose name its owner let point to 127.0.0.1: to the browser, one origin with us.
  for (const host of [
    'rebound.example',
    'rebound.example:8081',
    'localhost.example',
    'notlocalhost',
    '127.0.0.1.example',
    '128.0.0.1',
    '0.0.0.0:8081',
    '[::]:8081',
    '[fd00::1]',
    'localhost@rebound.example',
    'rebound.example/.localhost',
    'localhost:8081:1',
    '[localhost]',
  ]) {
    test(`does not go by ${host}, whatever is asked`, async () => {
      const { detail } = await problemOf(get({ Host: host }), 403, 'foreign-origin');
      assert.ok(detail?.includes(`came Host "${host}"`), detail);
      await problemOf(
        post({ Host: host, Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' }),
        403,
        'foreign-origin',
      );
    });
  }

  test('answers programs, which send no origin', async (t) => {
    await post({}).expect(200);
    const { url, close } = await listen(withoutToken, '127.0.0.1', 0);
    t.after(close);
    assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 200);
  });
});

test('a service with a token goes by any name', async () => {
  await get({ Host: 'trainer.example' }, withToken).expect(200);
  await post({ Host: 'trainer.example', Origin: 'http://trainer.example' }, withToken).expect(200);
});

for (const [title, app] of [
  ['without', withoutToken],
  ['with', withToken],
] as const) {
  describe(`a service ${title} a token`, () => {
    const foreign: Record<string, Record<string, string>> = {
      'of another site': { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      'of another site, in a browser that says only the origin': { Origin: 'https://evil.example' },
      'of another site, in a browser that says only that': { 'Sec-Fetch-Site': 'cross-site' },
      'of another port of this machine': { Origin: 'http://localhost:3000', 'Sec-Fetch-Site': 'same-site' },
      'of another port, in a browser that says only the origin': { Origin: 'http://localhost:3000' },
      'of another name of this machine': { Origin: 'http://127.0.0.1:8081' },
      'with another scheme': { Origin: 'https://localhost:8081' },
      'without an origin of its own (a sandbox, a file)': { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' },
      'in a sandbox, in a browser that says only the origin': { Origin: 'null' },
      'of a relation that is not known yet': { 'Sec-Fetch-Site': 'sibling' },
    };
    for (const [page, headers] of Object.entries(foreign)) {
      test(`takes no command from a page ${page}, and answers it nothing`, async () => {
        await problemOf(post(headers, app), 403, 'foreign-origin');
        await problemOf(
          get({ ...headers, 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }, app),
          403,
          'foreign-origin',
        );
      });
    }

    test('takes no command from a form of another site, though that navigates', async () => {
      const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
      await problemOf(post({ ...headers, 'Sec-Fetch-Site': 'cross-site' }, app), 403, 'foreign-origin');
    });

    test('is opened by a link of another site, and not in its frame', async () => {
      const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
      await get(link, app).expect(200);
      await problemOf(get({ ...link, 'Sec-Fetch-Dest': 'iframe' }, app), 403, 'foreign-origin');
    });

    test('answers its own pages, and what the user asks of the browser', async () => {
      await post({ Origin: 'http://localhost:8081', 'Sec-Fetch-Site': 'same-origin' }, app).expect(200);
      await post({ Origin: 'http://localhost:8081' }, app).expect(200);
      await get({ 'Sec-Fetch-Site': 'none' }, app).expect(200);
      await post({ Host: 'localhost', Origin: 'http://localhost' }, app).expect(200);
    });

    test('answers its own pages behind a proxy with TLS, where the browser says that they are', async () => {
      await post({ Origin: 'https://localhost:8081', 'Sec-Fetch-Site': 'same-origin' }, app).expect(200);
    });

    test('grants a preflight to nobody', async () => {
      const answer = await request(app).options('/runs').set({ Host: 'localhost', Origin: 'https://evil.example' });
      assert.equal(answer.status, 403);
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
    });
  });
}
