import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { InferenceConfig, MINIMUM_EXAMPLES } from '@atelier/inference';
import { TrainerConfig } from '@atelier/trainer';
import { parse } from 'yaml';
import { COMPOSE_FOLDER, type ComposeService, namesOn, readCompose } from '../support/deployment/compose-file.ts';
import { exportedMetrics, type ExportedMetrics } from '../support/deployment/exported-metrics.ts';
import { parseExpression } from '../support/deployment/promql.ts';
import { promtool } from '../support/deployment/promtool.ts';

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string };
}

interface Panel {
  id: number;
  type: string;
  title: string;
  datasource?: { type: string; uid: string };
  fieldConfig?: { defaults: { unit: string; thresholds?: { steps: { value: number | null }[] } } };
  targets?: { expr: string; legendFormat: string }[];
}

const read = (path: string) => parse(readFileSync(join(COMPOSE_FOLDER, path), 'utf8')) as unknown;

const { groups } = read('prometheus/alerts.yaml') as { groups: { name: string; rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const { panels, uid, templating } = JSON.parse(
  readFileSync(join(COMPOSE_FOLDER, 'grafana/dashboards/atelier.json'), 'utf8'),
) as {
  uid: string;
  panels: Panel[];
  templating: { list: { name: string; query: string; datasource: { uid: string } }[] };
};
const charts = panels.filter(({ type }) => type !== 'row');

/** What Prometheus itself adds to each series that it fetches. */
const OF_PROMETHEUS = ['job', 'instance'];
const GROWING = ['rate', 'increase'];

/** `$instance` is a pattern for the values of a label when Grafana sends it. */
const asSent = (expression: string) => expression.replaceAll('$instance', '.+');

/** Where a container finds files and folders. */
function mountedIn({ volumes = [] }: ComposeService): string[] {
  return volumes.flatMap((volume) => (typeof volume === 'string' ? (volume.split(':')[1] ?? '') : volume.target));
}

describe('what is asked of Prometheus', () => {
  let exported: Record<string, ExportedMetrics>;
  before(async () => {
    exported = await exportedMetrics();
  });

  const expressions: [where: string, text: string][] = [
    ...alerts.map(({ alert, expr }): [string, string] => [alert, expr]),
    ...charts.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, asSent(expr)])),
  ];

  test('is of metrics that the services export, with labels that those have, and of a job', () => {
    assert.ok(expressions.length > 30);
    for (const [where, text] of expressions) {
      const { selectors, labels } = parseExpression(text);
      assert.ok(selectors.length > 0, where);
      const known = new Set(OF_PROMETHEUS);
      for (const { metric, matchers } of selectors) {
        const job = /^="(\w+)"$/.exec(matchers.get('job') ?? '')?.[1] ?? '';
        const metrics = exported[job];
        assert.ok(metrics, `${where}: ${metric} is of no job that there is`);
        if (metric === 'up') continue;
        const found = metrics.get(metric);
        assert.ok(found, `${where}: ${job} exports no ${metric}`);
        for (const label of found.labels) known.add(label);
        for (const label of matchers.keys()) {
          assert.ok(OF_PROMETHEUS.includes(label) || found.labels.has(label), `${where}: ${metric} has no ${label}`);
        }
      }
      for (const label of labels) assert.ok(known.has(label), `${where}: nothing has the label ${label}`);
    }
  });

  test('adds up only what grows, and looks at what stands as it is', () => {
    for (const [where, text] of expressions) {
      for (const { metric, matchers, inside } of parseExpression(text).selectors) {
        if (metric === 'up') continue;
        const type = exported[/\w+/.exec(matchers.get('job') ?? '')?.[0] ?? '']?.get(metric)?.type;
        assert.equal(GROWING.includes(inside[0] ?? ''), type !== 'gauge', `${where}: ${metric} is a ${type}`);
      }
    }
  });

  test('shows in its texts and legends only labels that the answer has', () => {
    for (const { alert, expr, annotations } of alerts) {
      const { labels, selectors } = parseExpression(expr);
      const ofSelectors = selectors.length === 1 || !/\b(sum|max) by\b/.test(expr);
      for (const [, label = ''] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) {
        assert.ok(labels.has(label) || (ofSelectors && label === 'instance'), `${alert}: ${label}`);
      }
    }
    for (const { title, targets = [] } of charts) {
      for (const { expr, legendFormat } of targets) {
        const grouped = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ');
        const { selectors } = parseExpression(asSent(expr));
        const own = selectors.flatMap(({ metric, matchers }) => [
          ...(exported[/\w+/.exec(matchers.get('job') ?? '')?.[0] ?? '']?.get(metric)?.labels ?? []),
        ]);
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          assert.ok((grouped ?? [...own, ...OF_PROMETHEUS]).includes(label), `${title}: ${label}`);
        }
      }
    }
  });
});

describe('docker/prometheus', () => {
  test('asks the services that Compose starts, on their ports, with what they want to see', () => {
    const { scrape_configs, rule_files } = read('prometheus/prometheus.yaml') as {
      rule_files: string[];
      scrape_configs: {
        job_name: string;
        authorization: { credentials_file: string };
        static_configs: { targets: string[] }[];
      }[];
    };
    const token = 'a-token-of-a-test-and-no-other';
    const compose = readCompose({ TRAINER_TOKEN: token });
    const services = Object.entries(compose.services);
    const { prometheus } = compose.services;
    assert.ok(prometheus);
    const mounted = mountedIn(prometheus);
    const contents = new Map(
      (prometheus.configs ?? []).map(({ source, target }) => [target, compose.configs[source]?.content]),
    );
    for (const file of rule_files) assert.ok(mounted.includes(`/etc/prometheus/${file}`), file);
    for (const { job_name, static_configs, authorization } of scrape_configs) {
      const { port } = job_name === 'inference' ? InferenceConfig.parse({}) : TrainerConfig.parse({});
      assert.deepEqual(static_configs, [{ targets: [`${job_name}:${port}`] }]);
      for (const profile of ['cpu', 'gpu']) {
        const known = services
          .filter(([, service]) => service.profiles.includes(profile))
          .flatMap(([name, service]) => namesOn('services', name, service));
        assert.equal(known.filter((name) => name === job_name).length, 1, `${job_name} in ${profile}`);
      }
      const expected = job_name === 'trainer' ? token : 'none';
      assert.equal(contents.get(authorization.credentials_file), expected, job_name);
    }
    assert.ok(namesOn('services', 'prometheus', prometheus).length > 0);
  });

  test('has rules that promtool takes, and that say what alerts.test.yaml expects of them', async () => {
    const check = await promtool();
    await check('check', 'rules', join(COMPOSE_FOLDER, 'prometheus', 'alerts.yaml'));
    await check('test', 'rules', join(COMPOSE_FOLDER, 'prometheus', 'alerts.test.yaml'));
  });

  test('alarms about everything that alerts.test.yaml lets happen, and about nothing that it does not', () => {
    const { tests } = read('prometheus/alerts.test.yaml') as {
      tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
    };
    const all = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    for (const { alert } of alerts) {
      const of = all.filter(({ alertname }) => alertname === alert);
      assert.ok(
        of.some(({ exp_alerts = [] }) => exp_alerts.length > 0),
        `${alert} never fires`,
      );
      assert.ok(
        of.some(({ exp_alerts = [] }) => exp_alerts.length === 0),
        `${alert} always fires`,
      );
    }
  });

  test('has the thresholds that the services have', () => {
    const numberIn = (name: string, pattern: RegExp) =>
      Number(pattern.exec(alerts.find(({ alert }) => alert === name)?.expr ?? '')?.[1]);
    assert.equal(numberIn('TrainerQueueFills', /> (\d+)$/m), 0.8 * TrainerConfig.parse({}).maximumQueued);
    for (const name of ['InferenceDrift', 'InferenceAbstains']) {
      assert.equal(numberIn(name, /prediction_drift_examples\{.*\} >= (\d+)/), MINIMUM_EXAMPLES, name);
    }
    for (const { alert, labels } of alerts) assert.match(labels.severity, /^(warning|critical)$/, alert);
  });
});

describe('docker/grafana', () => {
  const { datasources } = read('grafana/provisioning/datasources/prometheus.yaml') as {
    datasources: { uid: string; url: string; type: string }[];
  };
  const compose = readCompose({ TRAINER_TOKEN: 'a-token-of-a-test-and-no-other' });
  const { grafana, prometheus } = compose.services;
  assert.ok(grafana && prometheus);

  test('asks the Prometheus that Compose starts', () => {
    const [{ uid: source = '', url = '', type = '' } = {}] = datasources;
    const { hostname, port } = new URL(url);
    assert.ok(namesOn('services', 'prometheus', prometheus).includes(hostname));
    assert.equal(prometheus.ports?.[0]?.split(':').at(-1), port);
    for (const { title, datasource } of charts) assert.deepEqual(datasource, { type, uid: source }, title);
    for (const { datasource } of templating.list) assert.equal(datasource.uid, source);
  });

  test('finds its dashboard where it is told to look', () => {
    const { providers } = read('grafana/provisioning/dashboards/atelier.yaml') as {
      providers: { options: { path: string } }[];
    };
    const mounted = mountedIn(grafana);
    const [{ options: { path } = { path: '' } } = {}] = providers;
    assert.ok(mounted.includes(path), path);
    assert.equal(grafana.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'], `${path}/${uid}.json`);
  });

  test('has a unit for each chart, a number of its own, and no variable that it does not define', () => {
    const units = ['reqps', 'ops', 's', 'percentunit', 'short', 'bytes'];
    for (const { title, fieldConfig } of charts) {
      assert.ok(units.includes(fieldConfig?.defaults.unit ?? ''), `${title}: ${fieldConfig?.defaults.unit}`);
    }
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const used = JSON.stringify(charts).matchAll(/\$(?!__)(\w+)/g);
    const known = templating.list.map(({ name }) => name);
    for (const [, name = ''] of used) assert.ok(known.includes(name), name);
    for (const { query } of templating.list) {
      const [, series = ''] = /^label_values\((.*), instance\)$/.exec(query) ?? [];
      assert.equal(parseExpression(series).selectors[0]?.metric, 'queue_ratio');
    }
  });

  test('draws the line of an alarm where that is', () => {
    const lines: Record<string, string> = {
      'Time to an answer': 'InferenceSlow',
      Queue: 'InferenceQueueFills',
      Drift: 'InferenceDrift',
      Abstained: 'InferenceAbstains',
    };
    const drawn = charts.filter(({ fieldConfig }) => fieldConfig?.defaults.thresholds !== undefined);
    assert.deepEqual(drawn.map(({ title }) => title).sort(), Object.keys(lines).sort());
    for (const { title, fieldConfig } of drawn) {
      const { expr = '' } = alerts.find(({ alert }) => alert === lines[title]) ?? {};
      const threshold = fieldConfig?.defaults.thresholds?.steps.at(-1)?.value;
      assert.match(expr, new RegExp(`> ${threshold}\\b`), title);
    }
  });
});
