import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { publishVersion, type VersionContent } from '@atelier/model-repository';
import { decodeModel, encodeModel, type OnnxModel, value } from '@atelier/onnx';
import { damageModel, publishTiny, randomImage, versionContent } from './published-version.ts';
import { trustOf } from './trust.ts';

export interface BadVersion {
  title: string;
  publish: (root: string) => Promise<unknown>;
  code: string;
  reason: RegExp;
}

/** Versions that must never answer, one for each check and way to fail it. */
export const BAD_VERSIONS: readonly BadVersion[] = [
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
    title: 'when its file breaks off',
    publish: async (root) => truncate(join((await publishTiny(root)).directory, 'model.onnx'), 1000),
    code: 'digest-mismatch',
    reason: /model\.onnx has digest/,
  },
  {
    title: 'when its file broke off before it was published',
    publish: (root) => {
      const { model, manifest } = versionContent();
      return publishVersion(root, 'fashion-mlp', { model: model.subarray(0, model.length / 2), manifest });
    },
    code: 'malformed-onnx',
    reason: /refuses the model/,
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
    title: 'when its manifest has a threshold for outliers, and its graph no scores',
    publish: (root) => {
      const { model } = versionContent();
      const { manifest } = versionContent({ trust: trustOf() });
      return publishVersion(root, 'fashion-mlp', { model, manifest });
    },
    code: 'contract-mismatch',
    reason: /outputs are logits .* and probabilities .*; expected .* and outlier_score float32\[batch\]/,
  },
  {
    title: 'when its graph gives scores, and its manifest has no threshold for them',
    publish: (root) => {
      const { model } = versionContent({ trust: trustOf() });
      return publishVersion(root, 'fashion-mlp', { model, manifest: versionContent().manifest });
    },
    code: 'contract-mismatch',
    reason: /and outlier_score float32\[batch\]; expected logits float32\[batch, 10\] and probabilities/,
  },
  {
    title: 'when it computes another outlier score than was published',
    publish: (root) => {
      const { model, manifest } = versionContent({ trust: trustOf() });
      const golden = { ...manifest.golden, outlierScores: manifest.golden.images.map(() => 1) };
      return publishVersion(root, 'fashion-mlp', { model, manifest: { ...manifest, golden } });
    },
    code: 'golden-mismatch',
    reason: /Golden image 0: outlier score 0\.51\d*; the manifest says 1 within 0\.01/,
  },
];

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
