import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ModelsResponse } from '@atelier/inference';
import { publishVersion, type VersionContent } from '@atelier/model-repository';
import { decodeModel, encodeModel, type OnnxModel, value } from '@atelier/onnx';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { damageModel, publishTiny, randomImage, versionContent } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const pixels = [[...randomImage(1)]];

/** A version that computes something, but not what the published graph promises to take. */
function otherInput(name: string, type: 'uint8' | 'int32', shape: (number | string)[]): VersionContent {
  const { model, manifest } = versionContent();
  const decoded: OnnxModel = decodeModel(model, 'test');
  const nodes = decoded.graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => (input === 'image' ? name : input)),
  }));
  const graph = { ...decoded.graph, inputs: [value(name, type, shape)], nodes };
  return { model: encodeModel({ ...decoded, graph }), manifest };
}

describe('a version that fails a check is not served, and an older one is', () => {
  /** Bad versions by the number that they are published under: 2 and up. */
  const refusals: { title: string; publish: (root: string) => Promise<unknown>; code: string; reason: RegExp }[] = [
    {
      title: 'when its file is not what its digest says',
      publish: async (root) => damageModel(await publishTiny(root)),
      code: 'digest-mismatch',
      reason: /model\.onnx has digest sha256:.* manifest says sha256:/,
    },
    {
      title: 'when its file is gone',
      publish: async (root) => rm(join((await publishTiny(root)).directory, 'model.onnx')),
      code: 'digest-mismatch',
      reason: /model\.onnx cannot be read/,
    },
    {
      title: 'when its file is no model',
      publish: (root) =>
        publishVersion(root, 'fashion-mlp', { ...versionContent(), model: Buffer.from('no model at all') }),
      code: 'malformed-onnx',
      reason: /refuses the model/,
    },
    {
      title: 'when it computes something else than its golden vectors',
      publish: (root) =>
        publishVersion(root, 'fashion-mlp', { ...versionContent(), model: versionContent({ seed: 2 }).model }),
      code: 'golden-mismatch',
      reason: /Golden image 0, class 0: probability .* within 0\.0001/,
    },
    {
      title: 'when a golden probability is off by a little more than the tolerance',
      publish: (root) => {
        const content = versionContent();
        const { probabilities, tolerance } = content.manifest.golden;
        probabilities[1] = (probabilities[1] ?? []).map((p, index) => (index === 3 ? p + 1.5 * tolerance : p));
        return publishVersion(root, 'fashion-mlp', content);
      },
      code: 'golden-mismatch',
      reason: /Golden image 1, class 3/,
    },
    {
      title: 'when a golden image has another size',
      publish: (root) => {
        const content = versionContent();
        content.manifest.golden.images[0] = Buffer.alloc(783).toString('base64');
        return publishVersion(root, 'fashion-mlp', content);
      },
      code: 'golden-mismatch',
      reason: /Golden image 0 has 783 bytes; expected 784/,
    },
    {
      title: 'when it computes no numbers',
      publish: (root) => {
        const content = versionContent({ overflow: true });
        content.manifest.golden.images[0] = Buffer.from(randomImage(101, 255)).toString('base64');
        return publishVersion(root, 'fashion-mlp', content);
      },
      code: 'golden-mismatch',
      reason: /probability NaN/,
    },
    {
      title: 'when its input has another name',
      publish: (root) => publishVersion(root, 'fashion-mlp', otherInput('picture', 'uint8', ['batch', 28, 28])),
      code: 'contract-mismatch',
      reason: /inputs are picture uint8\[batch, 28, 28\]; expected image uint8\[batch, 28, 28\]/,
    },
    {
      title: 'when its input has another type',
      publish: (root) => publishVersion(root, 'fashion-mlp', otherInput('image', 'int32', ['batch', 28, 28])),
      code: 'contract-mismatch',
      reason: /inputs are image int32/,
    },
    {
      title: 'when its input has another shape',
      publish: (root) => publishVersion(root, 'fashion-mlp', otherInput('image', 'uint8', ['batch', 784])),
      code: 'contract-mismatch',
      reason: /inputs are image uint8\[batch, 784\]/,
    },
    {
      title: 'when its batch is fixed',
      publish: (root) => publishVersion(root, 'fashion-mlp', otherInput('image', 'uint8', [1, 28, 28])),
      code: 'contract-mismatch',
      reason: /inputs are image uint8\[1, 28, 28\]/,
    },
    {
      title: 'when its probabilities are to be calibrated, which this server does not do',
      publish: (root) => {
        const { model, manifest } = versionContent();
        return publishVersion(root, 'fashion-mlp', { model, manifest: { ...manifest, temperature: 1.5 } });
      },
      code: 'contract-mismatch',
      reason: /temperature 1\.5; this server applies none/,
    },
  ];

  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    for (const { publish } of refusals) await publish(folder.path);
    await mkdir(join(folder.path, 'fashion-mlp', 'draft'));
    await writeFile(join(folder.path, 'notes.txt'), '');
    service = await openInference(folder.path);
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });

  refusals.forEach(({ title, code, reason }, index) => {
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
