import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accessKeys, createAccess, createApplication, readSettings, requireScope } from '@atelier/http';
import { Router } from 'express';
import request from 'supertest';
import { z } from 'zod';
import { problemOf } from '../../support/answers.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const SCOPES = ['infer', 'admin'] as const;
const Settings = z.object({
  keys: accessKeys(SCOPES).default([]).meta({ variable: 'KEYS', description: 'Who may', secret: true }),
});
const keysIn = (text: string) => readSettings(Settings, { KEYS: text }).keys;
const reader = 'reader-key-0123456789';
const operator = 'operator-key-0123456789';
const policy = { openWithoutKeys: ['infer'], variable: 'KEYS' } as const;
const access = createAccess({ ...policy, keys: keysIn(`reader=${reader}:infer, ${operator}:infer+admin`) });

describe('the setting of keys', () => {
  test('names keys or counts them, and keeps nothing of them but digests', () => {
    const keys = keysIn(`reader=${reader}:infer,${operator}:infer+admin`);
    assert.deepEqual(
      keys.map(({ name, scopes }) => [name, ...scopes]),
      [
        ['reader', 'infer'],
        ['key-2', 'infer', 'admin'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(keys), /0123456789/);
    assert.deepEqual(keysIn(''), []);
  });

  test('takes keys of base64, whose end looks like that of a name, and keys with colons', () => {
    const base64 = 'QUJDREVGR0hJSktMTU5PUA==';
    const named = createAccess({ ...policy, keys: keysIn(`${base64}:infer,ops=a:b:${base64}:admin`) });
    assert.equal(named.authorize(base64, 'infer'), 'key-1');
    assert.equal(named.authorize(`a:b:${base64}`, 'admin'), 'ops');
  });

  const wrong: Record<string, string> = {
    'a key that is too short': 'me=fifteen-letters:infer',
    'a key without scopes': reader,
    'an unknown scope': `${reader}:infer+root`,
    'an empty scope': `${reader}:infer+`,
    'a space in a key': 'a secret of many words:infer',
    'an empty entry': `${reader}:infer,`,
    'the same key twice': `a=${reader}:infer,b=${reader}:admin`,
    'the same name twice': `a=${reader}:infer,a=${operator}:admin`,
  };
  for (const [what, text] of Object.entries(wrong)) {
    test(`refuses ${what}, tells its place, and nothing of what stands there`, () => {
      assert.throws(
        () => keysIn(text),
        ({ code, message }: Error & { code: string }) => {
          assert.equal(code, 'invalid-configuration');
          assert.match(message, /KEYS: entry [12]: /);
          return !/0123456789|fifteen|root|secret/.test(message);
        },
      );
    });
  }
});

describe('access by keys', () => {
  test('is given to a key that has the scope, by its name', () => {
    assert.equal(access.authorize(reader, 'infer'), 'reader');
    assert.equal(access.authorize(operator, 'admin'), 'key-2');
  });

  test('is refused without a key that is known, and otherwise where it lacks the scope', () => {
    assert.throws(() => access.authorize(undefined, 'infer'), { code: 'unauthorized' });
    assert.throws(() => access.authorize(`${reader}x`, 'infer'), { code: 'unauthorized' });
    assert.throws(() => access.authorize(reader, 'admin'), {
      code: 'forbidden',
      message: 'The key "reader" has the scope infer; this takes "admin".',
    });
  });

  test('without keys is what the policy leaves open, and the refusal of the rest says what to set', () => {
    const open = createAccess<(typeof SCOPES)[number]>({ ...policy, keys: [] });
    assert.equal(open.authorize(undefined, 'infer'), null);
    assert.equal(open.authorize('whatever', 'infer'), null);
    assert.throws(() => open.authorize(operator, 'admin'), { code: 'forbidden', message: /set KEYS/ });
  });
});

describe('a route that requires a scope', () => {
  const { log, lines, text } = recordedLog();
  const route = Router().get('/load', requireScope(access, 'admin'), (_request, response) => void response.json({}));
  const app = createApplication(log, [route]);
  const load = (authorization?: string) => {
    const get = request(app).get('/load');
    return authorization === undefined ? get : get.set('Authorization', authorization);
  };

  test('answers its key, and the log has the name of the key and no key', async () => {
    await load(`Bearer ${operator}`).expect(200);
    await load('Bearer another-key-0123456789').expect(401);
    assert.equal(lines[0]?.['key'], 'key-2');
    assert.doesNotMatch(text(), /0123456789/);
  });

  test('challenges as RFC 6750 has it', async () => {
    await problemOf(load(), 401, 'unauthorized');
    await problemOf(load(`Bearer ${reader}`), 403, 'forbidden');
    await load().expect('WWW-Authenticate', 'Bearer');
    await load('Bearer nobody').expect('WWW-Authenticate', 'Bearer error="invalid_token"');
    await load(`Bearer ${reader}`).expect('WWW-Authenticate', 'Bearer error="insufficient_scope", scope="admin"');
  });
});
