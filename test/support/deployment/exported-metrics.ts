import assert from 'node:assert/strict';
import { beginRun, endEpoch, epochReport } from '../stored-runs.ts';
import { samplesIn } from '../metric-samples.ts';
import { randomImage } from '../published-version.ts';
import { type RunningServices, startServices } from './running-services.ts';

export interface ExportedMetric {
  type: 'counter' | 'gauge' | 'histogram';
  /** That its samples bear; a histogram's buckets have `le` beside them. */
  labels: ReadonlySet<string>;
}

/** By the name of the metric, and for histograms by those of its three series. */
export type ExportedMetrics = ReadonlyMap<string, ExportedMetric>;

/** More than it takes until `/drift` has an index. */
const ANSWERS = 320;

/** What both services export, by the job that Prometheus has for each, after something of every kind has happened. */
export async function exportedMetrics(): Promise<Record<'inference' | 'trainer', ExportedMetrics>> {
  const services = await startServices({ INFERENCE_API_KEYS: '' });
  try {
    await askEverything(services);
    const folder = await beginRun(services.runsDirectory);
    try {
      folder.addStep({
        ...{ epoch: 1, epochs: 3, step: 10, stepsPerEpoch: 40, loss: 1.5, imagesPerSecond: 5000 },
        validationAccuracy: null,
      });
      await endEpoch(folder, epochReport(1));
      return {
        inference: metricsIn(await textOf(`${services.inference}/metrics`)),
        trainer: metricsIn(await textOf(`${services.trainer}/metrics`, services.token)),
      };
    } finally {
      await folder.release();
    }
  } finally {
    await services.close();
  }
}

async function askEverything({ inference }: RunningServices): Promise<void> {
  const ask = (pixels: number[][]) =>
    fetch(`${inference}/predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ pixels }),
    });
  for (let asked = 0; asked < ANSWERS; asked += 80) {
    const images = Array.from({ length: 80 }, (_, index) => [...randomImage(asked + index)]);
    assert.equal((await ask(images)).status, 200);
  }
  assert.equal((await ask([])).status, 422);
}

async function textOf(url: string, token?: string): Promise<string> {
  const response = await fetch(url, { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
  assert.equal(response.status, 200, url);
  return response.text();
}

function metricsIn(text: string): ExportedMetrics {
  const found = new Map<string, { type: ExportedMetric['type']; labels: Set<string> }>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (counter|gauge|histogram)$/gm)) {
    const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const suffix of suffixes) {
      found.set(`${name}${suffix}`, { type: type as ExportedMetric['type'], labels: new Set() });
    }
  }
  for (const sample of Object.keys(samplesIn(text))) {
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(sample) ?? [];
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) found.get(name)?.labels.add(label);
  }
  return found;
}
