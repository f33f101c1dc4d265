import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { imageNamed } from '../support/deployment/images.ts';
import type { InferenceService, ServingRuntime } from '../support/deployment/kserve.ts';
import { faultsOf } from '../support/deployment/kubernetes-schemas.ts';
import {
  applied,
  base,
  containersOf,
  deploymentsIn,
  inferenceService,
  KUBERNETES,
  kustomizationOf,
  kustomize,
  type Manifest,
  manifestsOf,
  OVERLAYS,
  podOf,
  rendered,
  servingRuntime,
} from '../support/deployment/manifests.ts';

interface Claim {
  spec: { accessModes: string[] };
}

const withoutKustomize = kustomize === undefined && 'neither kustomize nor kubectl is on this machine';

describe('docker/kubernetes', () => {
  for (const folder of ['base', ...OVERLAYS, 'kserve']) {
    test(`${folder} names every file that lies in it, and no other`, () => {
      const { resources, patches = [], configMapGenerator = [], configurations = [] } = kustomizationOf(folder);
      const files = resources.filter((name) => name.includes('.yaml'));
      const folders = resources.filter((name) => !files.includes(name));
      const generated = configMapGenerator.flatMap((generator) => generator.files);
      const named = [...files, ...patches.map(({ path }) => path), ...generated, ...configurations];
      assert.deepEqual([...named, 'kustomization.yaml'].sort(), readdirSync(join(KUBERNETES, folder)).sort());
      for (const name of folders) assert.ok(existsSync(join(KUBERNETES, folder, name, 'kustomization.yaml')), name);
    });
  }

  test('the overlays change only what the base has, and tag every image of ours', () => {
    const containers = deploymentsIn(base).flatMap(containersOf);
    const ours = new Set(containers.map(({ image = '' }) => image).filter((image) => image.startsWith('atelier')));
    for (const folder of OVERLAYS) {
      const { patches = [], images = [] } = kustomizationOf(folder);
      assert.deepEqual(images.map(({ name }) => name).sort(), [...ours].sort(), folder);
      for (const { name, newName = name, newTag } of images) assert.ok(imageNamed(`${newName}:${newTag}`), name);
      for (const { path } of patches) {
        const [patch] = manifestsOf(`${folder}/${path}`);
        const target = base.find(({ kind, metadata }) => kind === patch?.kind && metadata.name === patch.metadata.name);
        assert.ok(patch && target, `${folder}/${path}`);
        const [changed] = deploymentsIn([patch]);
        const [deployment] = deploymentsIn([target]);
        for (const { name } of changed ? containersOf(changed) : []) {
          assert.ok(deployment && containersOf(deployment).some((each) => each.name === name), `${path}: ${name}`);
        }
      }
    }
  });

  test(
    'what kustomize makes of the overlays is what they say: a GPU for inference and workers',
    { skip: withoutKustomize },
    () => {
      for (const [folder, manifests] of applied) {
        const found = deploymentsIn(manifests).flatMap((deployment) =>
          podOf(deployment).containers.map(({ image, resources }) => [image, resources?.limits?.['nvidia.com/gpu']]),
        );
        const isGpu = folder === 'overlays/gpu';
        const [tag, limit] = isGpu ? ['cuda', '1'] : ['cpu', undefined];
        assert.deepEqual(found, [
          [`atelier-inference:${tag}`, limit],
          ['docker.io/library/redis:7.4.2-bookworm', undefined],
          ['atelier-trainer:cpu', undefined],
          [`atelier-trainer:${tag}`, limit],
        ]);
        assert.ok(manifests.every(({ kind, metadata }) => kind === 'Namespace' || metadata.namespace === 'atelier'));
      }
      const [container] = (rendered('kserve') as unknown as [InferenceService, ServingRuntime]).flatMap(({ spec }) =>
        'containers' in spec ? spec.containers : [],
      );
      assert.equal(container?.image, 'atelier-inference:cpu');
    },
  );

  test(
    'every claim of one machine is for one node, of the others for several, and two cores have room for its pods',
    { skip: withoutKustomize },
    () => {
      for (const [folder, manifests] of applied) {
        const isOne = folder === 'overlays/one-machine';
        const claims = manifests.filter(({ kind }) => kind === 'PersistentVolumeClaim') as (Manifest & Claim)[];
        assert.deepEqual(
          claims.map(({ metadata, spec }) => [metadata.name, ...spec.accessModes]),
          ['data', 'models', 'runs'].map((name) => [name, isOne ? 'ReadWriteOnce' : 'ReadWriteMany']),
        );
        if (!isOne) continue;
        const cores = deploymentsIn(manifests)
          .flatMap((deployment) => podOf(deployment).containers)
          .map(({ resources }) => /^(\d+)m$/.exec(String(resources?.requests?.['cpu']))?.[1]);
        const sum = cores.reduce((total, thousandths) => total + Number(thousandths), 0);
        assert.ok(sum <= 1000, `${sum} m, and one more of inference, beside what the cluster itself needs`);
      }
    },
  );

  test("fits Kubernetes' schemas and has no field that is not in them", async () => {
    const manifests = applied.flatMap(([, each]) => each);
    const kserve = [servingRuntime, inferenceService] as unknown as Manifest[];
    assert.deepEqual(await faultsOf([...manifests, ...kserve]), []);
  });

  test('would not, had a field another name, another type, or a kind that there is not', async () => {
    const [deployment] = deploymentsIn(base);
    assert.ok(deployment);
    const changed = (change: (copy: string) => string) => JSON.parse(change(JSON.stringify(deployment))) as Manifest;
    const faults = await faultsOf([
      changed((text) => text.replace('"allowPrivilegeEscalation"', '"allowPrivilegeEscalations"')),
      changed((text) => text.replace('"containerPort":8080', '"containerPort":"http"')),
      changed((text) => text.replace('"kind":"Deployment"', '"kind":"Deploiment"')),
      { ...servingRuntime, spec: { ...servingRuntime.spec, protocolVersion: 'v2' } } as unknown as Manifest,
    ]);
    const text = faults.join('\n');
    assert.match(text, /"allowPrivilegeEscalations"' does not exist/);
    assert.match(text, /containerPort must be integer/);
    assert.match(text, /Deploiment is no kind/);
    assert.match(text, /ServingRuntime atelier: .*"protocolVersion"' does not exist/);
  });
});
