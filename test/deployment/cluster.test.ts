import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { STOP_LIMIT_MS } from '@atelier/http';
import { readConfig } from '@atelier/inference';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { imageNamed, programOf } from '../support/deployment/images.ts';
import {
  applied,
  containersOf,
  deploymentsIn,
  environmentOf,
  inferenceService,
  manifestsOf,
  servingRuntime,
} from '../support/deployment/manifests.ts';
import { parseExpression } from '../support/deployment/promql.ts';
import { type RunningServices, startServices } from '../support/deployment/running-services.ts';

/** What a pod has to end that says nothing of it, in ms. A ServingRuntime cannot. */
const KILLED_AFTER_MS = 30_000;

describe('what a cluster asks of the services', () => {
  let services: RunningServices;
  before(async () => {
    services = await startServices();
  });
  after(() => services.close());

  test('has answers: every probe of every container', async () => {
    let asked = 0;
    const probed = [
      ...applied.flatMap(([, manifests]) => deploymentsIn(manifests).flatMap(containersOf)),
      ...servingRuntime.spec.containers,
    ];
    for (const { image = '', args, startupProbe, readinessProbe, livenessProbe } of probed) {
      const ours = /^atelier-(inference|trainer)/.exec(image)?.[1] as 'inference' | 'trainer' | undefined;
      const probes = [startupProbe, readinessProbe, livenessProbe].flatMap((probe) => probe?.httpGet?.path ?? []);
      if (ours === undefined) continue;
      const listens = args === undefined;
      assert.equal(probes.length, listens ? (image === 'atelier-inference' ? 2 : 3) : 0, image);
      for (const path of probes) {
        assert.equal((await fetch(`${services[ours]}${path}`)).status, 200, path);
        asked++;
      }
    }
    assert.ok(asked >= 8);
  });

  test('scales by a metric that inference exports, through an adapter that hands on that one', async () => {
    const text = await (await fetch(`${services.inference}/metrics`)).text();
    const [rule] = (
      manifestsOf('prometheus-adapter.yaml')[0] as unknown as {
        rules: { custom: { seriesQuery: string; metricsQuery: string }[] };
      }
    ).rules.custom;
    assert.ok(rule);
    const [series] = parseExpression(rule.seriesQuery).selectors;
    const query = rule.metricsQuery
      .replace('<<.GroupBy>>', 'pod')
      .replace('<<.Series>>', series?.metric ?? '')
      .replace('<<.LabelMatchers>>', 'pod="one"');
    assert.equal(parseExpression(query).selectors[0]?.metric, series?.metric);
    for (const [name, manifests] of applied) {
      const scalers = manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler') as IHorizontalPodAutoscaler[];
      const metrics = scalers.flatMap(({ spec }) => spec?.metrics ?? []);
      const pods = metrics.flatMap((each) => each.pods ?? []);
      assert.deepEqual(
        pods.map(({ metric }) => metric.name),
        name === 'overlays/one-machine' ? [] : [series?.metric], // which has no adapter
        name,
      );
      assert.match(text, new RegExp(`^# TYPE ${series?.metric} gauge$`, 'm'));
      for (const { target } of pods) {
        const [, thousandths] = /^(\d+)m$/.exec(String(target.averageValue)) ?? [];
        assert.ok(Number(thousandths) > 0 && Number(thousandths) < 500, 'below the alarm of a queue that fills');
      }
      assert.deepEqual(
        metrics.flatMap(({ resource }) => resource?.name ?? []),
        ['cpu'],
        name,
      );
    }
  });

  test('KServe finds a runtime for the service, by a protocol that it speaks, under the name of its model', async () => {
    const { metadata, spec } = inferenceService;
    const { modelFormat, runtime: wanted, protocolVersion } = spec.predictor.model;
    assert.equal(wanted, servingRuntime.metadata.name);
    assert.ok(protocolVersion && servingRuntime.spec.protocolVersions.includes(protocolVersion));
    const formats = servingRuntime.spec.supportedModelFormats;
    assert.ok(formats.some(({ name, version }) => name === modelFormat.name && version === modelFormat.version));
    const [container, ...others] = servingRuntime.spec.containers;
    assert.ok(container && others.length === 0);
    assert.equal(container.name, 'kserve-container');
    const image = imageNamed(`${container.image}:cpu`);
    assert.ok(image);
    const config = readConfig(environmentOf({ ...container, image: `${container.image}:cpu` }));
    assert.deepEqual(
      container.ports?.map(({ containerPort }) => containerPort),
      [config.port],
    );
    assert.ok(
      container.env?.some(({ name }) => name === 'INFERENCE_PORT'),
      'else a service `inference` would set it',
    );
    assert.ok(config.graceMs + STOP_LIMIT_MS < KILLED_AFTER_MS, `serves on for ${config.graceMs} ms, and is killed`);
    const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = container.readinessProbe ?? {};
    assert.ok(config.graceMs > 1000 * (periodSeconds + timeoutSeconds) * failureThreshold);
    const { securityContext } = container;
    assert.equal(`${securityContext?.runAsUser}:${securityContext?.runAsGroup}`, image.user);
    assert.equal(config.modelName, metadata.name);
    const { variables } = programOf(image);
    for (const { name } of container.env ?? []) assert.ok(variables.includes(name), name);
    const url = `${services.inference}/v2/models/${metadata.name}`;
    assert.equal((await fetch(`${url}/ready`)).status, 200);
    const inputs = [{ name: 'image', shape: [1, 28, 28], datatype: 'UINT8', data: new Array<number>(784).fill(0) }];
    const answer = await fetch(`${url}/infer`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ inputs }),
    });
    assert.equal(answer.status, 200);
  });
});
