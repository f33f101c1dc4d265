import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ModelsResponse } from '@atelier/inference';
import { publishVersion } from '@atelier/model-repository';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { BAD_VERSIONS } from '../support/bad-versions.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { damageModel, publishTiny, randomImage, versionContent } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const pixels = [[...randomImage(1)]];

describe('a version that fails a check is not served, and an older one is', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    for (const { publish } of BAD_VERSIONS) await publish(folder.path);
    await mkdir(join(folder.path, 'fashion-mlp', 'draft'));
    await writeFile(join(folder.path, 'notes.txt'), '');
    service = await openInference(folder.path);
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });

  BAD_VERSIONS.forEach(({ title, code, reason }, index) => {
    test(title, async () => {
      const version = index + 2;
      const { models } = ModelsResponse.parse(await bodyOf(request(service.app).get('/models')));
      const entry = models.find((model) => model.version === version);
      assert.equal(entry?.state, 'UNAVAILABLE');
      assert.ok(entry.reason.startsWith(`${code}: `), entry.reason);
      assert.ok(!entry.reason.includes(folder.path), 'no path of this machine');
      const start = `fashion-mlp/${version} is not served: ${code}: `;
      const lines = service.lines.filter(({ msg }) => msg.startsWith(start)).map(({ msg }) => msg);
      assert.equal(lines.length, 1, service.text());
      assert.match(lines[0] ?? '', reason);
    });
  });

  test('and the answers come from the newest version that passes', async () => {
    const { models } = ModelsResponse.parse(await bodyOf(request(service.app).get('/models')));
    assert.equal(models.find((model) => model.version === 1)?.state, 'READY');
    const { model } = (await bodyOf(request(service.app).post('/predict').send({ pixels }))) as {
      model: { version: number };
    };
    assert.equal(model.version, 1);
  });

  test('and what is no version is named in the log', () => {
    const skipped = service.lines.filter(({ msg }) => msg.startsWith('Skipped ')).map(({ msg }) => msg);
    assert.equal(skipped.length, 2);
    assert.match(skipped.join('\n'), /fashion-mlp\/draft: expected a folder named by a version number/);
    assert.match(skipped.join('\n'), /notes\.txt: not a folder/);
  });
});

describe('a manifest', () => {
  test('cannot allow its golden vectors to be met by any model', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    const content = versionContent();
    content.manifest.golden.tolerance = 0.011;
    await assert.rejects(publishVersion(folder.path, 'fashion-mlp', content), {
      code: 'invalid-manifest',
      message: /golden\W+tolerance/,
    });
  });
});

describe('a service without a usable version', () => {
  async function assertNotReady(root: string): Promise<void> {
    const service = await openInference(root);
    await request(service.app).get('/healthz').expect(200);
    const { detail, retryAfter } = await problemOf(request(service.app).get('/readyz'), 503, 'not-ready');
    assert.equal(detail, 'No version of "fashion-mlp" can be served; the log says why.');
    assert.equal(retryAfter, undefined, 'waiting does not help');
    const { models } = ModelsResponse.parse(await bodyOf(request(service.app).get('/models')));
    assert.ok(models.every(({ state }) => state === 'UNAVAILABLE'));
    await problemOf(request(service.app).post('/predict').send({ pixels }), 503, 'not-ready');
    const lines = service.lines.filter(({ msg }) => msg.includes(`in ${root} can be served`));
    assert.equal(lines.length, 1, service.text());
    assert.match(lines[0]?.msg ?? '', /npm run train -- .* --publish/);
    await service.close();
  }

  test('is up and not ready, and its log names the folder and how to publish one', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    await assertNotReady(folder.path);
    await assertNotReady(join(folder.path, 'missing'));
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    await assertNotReady(file);
    await damageModel(await publishTiny(folder.path));
    await assertNotReady(folder.path);
  });
});
