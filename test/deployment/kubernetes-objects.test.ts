import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { STOP_LIMIT_MS } from '@atelier/http';
import { type InferenceConfig, readConfig } from '@atelier/inference';
import { readTrainerConfig, type TrainerConfig } from '@atelier/trainer';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IService } from 'kubernetes-models/v1/Service';
import { imageNamed, programOf } from '../support/deployment/images.ts';
import {
  applied,
  containersOf,
  deploymentsIn,
  environmentOf,
  KUBERNETES,
  type Manifest,
  podOf,
} from '../support/deployment/manifests.ts';

function bytesOf(quantity: unknown): number {
  const [, number, unit = ''] = /^(\d+)(Mi|Gi)$/.exec(String(quantity)) ?? [];
  return Number(number) * (unit === 'Gi' ? 1024 ** 3 : 1024 ** 2);
}

for (const [name, manifests] of applied) {
  const deployments = deploymentsIn(manifests);
  const ours = deployments.flatMap((deployment) =>
    podOf(deployment).containers.flatMap((container) => {
      const image = imageNamed(container.image ?? '');
      if (image === undefined) return [];
      const program = programOf(image, container.args ?? image.command);
      return [{ deployment, container, image, program, config: () => program.read(environmentOf(container)) }];
    }),
  );
  const ofKind = <Kind>(kind: string) => manifests.filter((each) => each.kind === kind) as (Manifest & Kind)[];
  const labelsOf = (deployment: (typeof deployments)[number]) => deployment.spec.template.metadata?.labels ?? {};
  const selected = (labels: Record<string, string> = {}) =>
    deployments.filter((deployment) =>
      Object.entries(labels).every(([key, value]) => labelsOf(deployment)[key] === value),
    );
  const portsOf = (deployment: (typeof deployments)[number]) =>
    podOf(deployment).containers.flatMap(({ ports = [] }) => ports);

  describe(`docker/kubernetes/${name}`, () => {
    test('what selects pods selects those that it means', () => {
      for (const deployment of deployments) {
        assert.deepEqual(selected(deployment.spec.selector.matchLabels), [deployment], deployment.metadata.name);
        for (const { labelSelector } of podOf(deployment).topologySpreadConstraints ?? []) {
          assert.deepEqual(selected(labelSelector?.matchLabels), [deployment]);
        }
      }
      for (const { metadata, spec } of ofKind<IService>('Service')) {
        const [deployment, ...others] = selected(spec?.selector);
        assert.ok(deployment && others.length === 0, metadata.name);
        assert.equal(deployment.metadata.name, metadata.name);
        for (const { targetPort } of spec?.ports ?? []) {
          assert.ok(
            portsOf(deployment).some((port) => port.name === targetPort),
            metadata.name,
          );
        }
      }
      for (const { spec } of ofKind<{ spec: { selector: { matchLabels: Record<string, string> } } }>(
        'PodDisruptionBudget',
      )) {
        assert.equal(selected(spec.selector.matchLabels).length, 1);
      }
      for (const { spec } of ofKind<IHorizontalPodAutoscaler>('HorizontalPodAutoscaler')) {
        const { kind, name: target } = spec?.scaleTargetRef ?? {};
        const scaled = deployments.find(({ metadata }) => metadata.name === target);
        assert.ok(kind === 'Deployment' && scaled, target);
        assert.equal(scaled.spec.replicas, undefined, 'two would say how many there are');
      }
    });

    test('lets nobody talk to anybody, but over ports that there are', () => {
      const policies = ofKind<INetworkPolicy>('NetworkPolicy');
      const all = policies.find(({ spec }) => Object.keys(spec?.podSelector ?? {}).length === 0)?.spec;
      assert.deepEqual([all?.policyTypes, all?.ingress, all?.egress], [['Ingress', 'Egress'], undefined, undefined]);
      const byLabels = (selector: {
        matchLabels?: Record<string, string>;
        matchExpressions?: { key: string; values?: string[] }[];
      }) =>
        selected(selector.matchLabels).filter((deployment) =>
          (selector.matchExpressions ?? []).every(({ key, values }) =>
            values?.includes(labelsOf(deployment)[key] ?? ''),
          ),
        );
      for (const { metadata, spec } of policies.filter((policy) => policy.spec !== all)) {
        const pods = byLabels(spec?.podSelector ?? {});
        assert.ok(pods.length > 0 && pods.length < deployments.length, metadata.name);
        for (const { ports = [] } of spec?.ingress ?? []) {
          for (const { port } of ports) {
            for (const pod of pods)
              assert.ok(
                portsOf(pod).some((each) => each.name === port),
                metadata.name,
              );
          }
        }
        for (const { to = [], ports = [] } of spec?.egress ?? []) {
          const reached = to.flatMap(({ podSelector }) => (podSelector === undefined ? [] : byLabels(podSelector)));
          for (const pod of reached) {
            for (const { port } of ports)
              assert.ok(
                portsOf(pod).some((each) => each.name === port),
                metadata.name,
              );
          }
        }
      }
      const open = policies.flatMap(({ spec }) => byLabels(spec?.podSelector ?? {}));
      for (const { metadata, spec } of deployments) {
        assert.ok(open.filter((each) => each.spec === spec).length > 1, `${metadata.name} could talk to nobody`);
      }
    });

    test('lets whoever calls others by name ask for names, wherever the cluster answers that', () => {
      const calling = ofKind<INetworkPolicy>('NetworkPolicy').filter(({ spec }) => spec?.egress !== undefined);
      assert.ok(calling.length > 0);
      for (const { metadata, spec } of calling) {
        const names = spec?.egress?.filter(({ ports = [] }) => ports.some(({ port }) => port === 53)) ?? [];
        // NodeLocal DNSCache answers on the node itself: neither a namespace nor a pod to select.
        assert.deepEqual(
          names.map(({ to, ports }) => [to, ports?.map(({ protocol }) => protocol)]),
          [[undefined, ['UDP', 'TCP']]],
          metadata.name,
        );
      }
    });

    test('gives no container a right that it does not need, and tells it nothing of the cluster', () => {
      for (const deployment of deployments) {
        const pod = podOf(deployment);
        const { runAsNonRoot, runAsUser, runAsGroup, fsGroup, seccompProfile } = pod.securityContext ?? {};
        assert.deepEqual([runAsNonRoot, seccompProfile], [true, { type: 'RuntimeDefault' }]);
        assert.equal(runAsGroup, fsGroup);
        assert.equal(pod.automountServiceAccountToken, false);
        assert.equal(pod.enableServiceLinks, false, deployment.metadata.name);
        for (const { name: container, image, securityContext, resources } of containersOf(deployment)) {
          assert.deepEqual(securityContext, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          assert.ok(
            resources?.requests?.['cpu'] && resources.requests['memory'] && resources.limits?.['memory'],
            container,
          );
          const user = imageNamed(image ?? '')?.user;
          if (user !== undefined) assert.equal(`${runAsUser}:${runAsGroup}`, user, container);
        }
      }
    });

    test('sets only variables that the programs read, to values that they take', () => {
      assert.equal(ours.length, 3);
      for (const { container, program, config } of ours) {
        const unknown = (container.env ?? []).filter((each) => !program.variables.includes(each.name));
        assert.deepEqual(unknown, [], container.name);
        assert.doesNotThrow(config, container.name);
      }
    });

    test('names the ports on which the services listen', () => {
      for (const { container, config, program } of ours) {
        const { port } = config() as Partial<TrainerConfig>;
        const expected = program.variables.includes('TRAINER_PORT') || program.variables.includes('INFERENCE_PORT');
        assert.deepEqual(
          (container.ports ?? []).map(({ containerPort }) => containerPort),
          expected ? [port] : [],
        );
      }
    });

    test('mounts where the programs read and write, from volumes and claims that there are', () => {
      const claims = ofKind('PersistentVolumeClaim').map(({ metadata }) => metadata.name);
      for (const deployment of deployments) {
        const { volumes = [] } = podOf(deployment);
        for (const { persistentVolumeClaim } of volumes) {
          if (persistentVolumeClaim) assert.ok(claims.includes(persistentVolumeClaim.claimName));
        }
        for (const { volumeMounts = [] } of containersOf(deployment)) {
          for (const mount of volumeMounts)
            assert.ok(
              volumes.some((volume) => volume.name === mount.name),
              mount.name,
            );
        }
      }
      for (const { container, image, config } of ours) {
        const mounts = container.volumeMounts ?? [];
        const { modelsDirectory, datasetCache, ...rest } = config() as InferenceConfig | TrainerConfig;
        const runs = 'runsDirectory' in rest ? [rest.runsDirectory] : [];
        for (const folder of [modelsDirectory, datasetCache, ...runs, '/tmp']) {
          const mount = mounts.find(({ mountPath }) => `${folder}/`.startsWith(`${mountPath}/`));
          assert.ok(mount, `${container.name}: ${folder} is on no volume`);
          assert.equal(mount.readOnly ?? false, image.service === 'inference' && folder !== '/tmp', folder);
        }
      }
    });

    test('has room for what inference may put into its folder for uploads', () => {
      for (const { deployment, config, image } of ours) {
        if (image.service !== 'inference') continue;
        const scratch = podOf(deployment).volumes?.find((volume) => volume.name === 'scratch');
        const { maximumScratchBytes } = config() as InferenceConfig;
        assert.ok(bytesOf(scratch?.emptyDir?.sizeLimit) > maximumScratchBytes);
      }
    });

    test('serves on until the last probe has failed, and kills nobody who still has time to stop', () => {
      for (const { deployment, container, config } of ours) {
        const { graceMs = 0 } = config() as Partial<InferenceConfig>;
        const { terminationGracePeriodSeconds = 30 } = podOf(deployment);
        assert.ok(terminationGracePeriodSeconds * 1000 > graceMs + STOP_LIMIT_MS, container.name);
        if (graceMs === 0) continue;
        const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = container.readinessProbe ?? {};
        assert.ok(graceMs > 1000 * (periodSeconds + timeoutSeconds) * failureThreshold, container.name);
      }
    });

    test('waits for no secret that the README does not make', () => {
      const readme = readFileSync(join(KUBERNETES, 'README.md'), 'utf8');
      const wanted = deployments
        .flatMap(containersOf)
        .flatMap(({ env = [], envFrom = [] }) => [
          ...env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
          ...envFrom.flatMap(({ secretRef }) => (secretRef?.optional === true ? [] : (secretRef ?? []))),
        ]);
      assert.equal(wanted.length, 1);
      for (const secret of wanted) {
        const key = 'key' in secret ? String(secret.key) : '';
        assert.match(readme, new RegExp(`create secret generic ${secret.name} --from-literal=${key}=`));
      }
    });

    test('finds its queue by name', () => {
      const urls = ours.flatMap(({ container }) => (container.env ?? []).filter((each) => each.name === 'QUEUE_URL'));
      assert.equal(urls.length, 2);
      const [service] = ofKind<IService>('Service').filter(({ metadata }) => metadata.name === 'queue');
      for (const { value } of urls) assert.equal(value, `redis://queue:${service?.spec?.ports?.[0]?.port}`);
    });
  });
}

test('a service of the name of ours would tell it a port that is none, which is why there are no service links', () => {
  assert.throws(() => readConfig({ INFERENCE_PORT: 'tcp://10.96.0.1:80' }), /INFERENCE_PORT=tcp/);
  assert.throws(() => readTrainerConfig({ TRAINER_PORT: 'tcp://10.96.0.1:80' }), /TRAINER_PORT=tcp/);
});
