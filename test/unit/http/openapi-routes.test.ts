import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createApplication, createLog, openApiDocument, openApiRoutes, requireToken } from '@atelier/http';
import request from 'supertest';
import { bodyOf, problemOf } from '../../support/answers.ts';

const log = createLog('test', 'silent');
const about = { title: 'Trainer', version: '1.2.3', description: 'Trains networks.' };
const document = openApiDocument({ ...about, routes: [], commonProblems: ['internal'] });
const app = createApplication(log, [openApiRoutes(() => document)]);

describe('the documentation of a service', () => {
  test('is at /openapi.json', async () => {
    const answer = request(app)
      .get('/openapi.json')
      .expect('Content-Type', /^application\/json/);
    assert.deepEqual(await bodyOf(answer), document);
  });

  test('has a page at /docs that loads only what lies below it, and runs no inline script', async () => {
    const { text, headers } = await request(app)
      .get('/docs')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const links = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link);
    assert.ok(links.length >= 4, links.join());
    for (const link of links) {
      assert.match(link, /^\/(docs\/|openapi\.json$)/);
      await request(app).get(link).expect(200);
    }
    assert.doesNotMatch(text, /<script(?![^>]* src=)|\son\w+=|<style/);
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
  });

  const files: Record<string, RegExp> = {
    '/docs/swagger-ui.css': /^text\/css/,
    '/docs/swagger-ui-bundle.js': /^(text|application)\/javascript/,
    '/docs/favicon-32x32.png': /^image\/png/,
  };
  for (const [path, type] of Object.entries(files)) {
    test(`has ${path}, which a browser may keep, whole and as HEAD`, async () => {
      const { headers } = await request(app).get(path).expect(200).expect('Content-Type', type);
      assert.equal(headers['cache-control'], 'max-age=31536000, immutable');
      assert.ok(Number(headers['content-length']) > 500);
      const head = await request(app).head(path).expect(200).expect('Content-Type', type);
      assert.equal(head.headers['content-length'], headers['content-length']);
    });
  }

  test('may not be kept where it has no version in its address', async () => {
    for (const path of ['/docs', '/docs/start.js', '/openapi.json']) {
      await request(app).get(path).expect(200).expect('Cache-Control', 'no-store');
    }
    await request(app)
      .get('/docs/start.js')
      .expect('Content-Type', /^(text|application)\/javascript/);
  });

  test('has no other file of the package, nor any outside', async () => {
    for (const path of [
      '/docs/package.json',
      '/docs/swagger-ui-bundle.js.map',
      '/docs/index.html',
      '/docs/..%2Fpackage.json',
      '/docs/%2e%2e/%2e%2e/package.json',
      '/docs/swagger-ui.css%00.png',
    ]) {
      await problemOf(request(app).get(path), 404, 'route-not-found');
    }
  });

  test('takes only GET and HEAD', async () => {
    for (const path of ['/docs', '/docs/start.js', '/docs/swagger-ui.css', '/openapi.json']) {
      await problemOf(request(app).post(path), 405, 'method-not-allowed');
      await request(app).options(path).expect(204).expect('Allow', 'GET, HEAD, OPTIONS');
    }
  });

  test('wants the token like everything else', async () => {
    const guarded = createApplication(log, [
      requireToken('correct-horse-battery-staple', ['/healthz']),
      openApiRoutes(() => document),
    ]);
    for (const path of ['/docs', '/docs/swagger-ui.css', '/openapi.json']) {
      await problemOf(request(guarded).get(path), 401, 'unauthorized');
    }
  });
});
