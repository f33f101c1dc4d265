import { collectGauge } from '@atelier/http';
import type { Registry } from 'prom-client';
import type { DriftFigures } from '../drift/drift-monitor.ts';

const OF_VERSION = ['model', 'version'] as const;

/** What `GET /drift` says, for those who alarm by it. */
export function registerDriftMetrics(registry: Registry, figures: () => Iterable<DriftFigures>): void {
  const named = ({ version }: DriftFigures) => ({ model: version.name, version: String(version.version) });
  collectGauge(registry, {
    name: 'prediction_drift_index',
    help: 'Population stability index of the last answers against the validation images: from 0.1 moderate, from 0.25 major',
    labels: [...OF_VERSION, 'distribution'],
    *series() {
      for (const each of figures()) {
        yield [{ ...named(each), distribution: 'classes' }, each.classes];
        yield [{ ...named(each), distribution: 'confidence' }, each.confidence];
      }
    },
  });
  const others = [
    ['prediction_drift_examples', 'Answers that the drift indexes are of', 'examples'],
    ['prediction_abstained_share', 'Share of the last answers that the version says not to believe', 'abstained'],
  ] as const;
  for (const [name, help, field] of others) {
    collectGauge(registry, {
      name,
      help,
      labels: OF_VERSION,
      *series() {
        for (const each of figures()) yield [named(each), each[field]];
      },
    });
  }
}
