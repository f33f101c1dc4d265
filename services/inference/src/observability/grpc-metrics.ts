import { collectCounter, collectHistogram, Distribution, increment } from '@atelier/http';
import type { Registry } from 'prom-client';
import type { CalledMethod, CallObserver } from '../grpc/call-record.ts';
import { SECONDS } from './version-tally.ts';

interface MethodTally {
  labels: Record<'grpc_type' | 'grpc_service' | 'grpc_method', string>;
  started: number;
  seconds: Distribution;
  statuses: Map<string, number>;
}

const OF_METHOD = ['grpc_type', 'grpc_service', 'grpc_method'] as const;

/**
 * Counts calls in `registry` under the names and labels of go-grpc-prometheus
 * (https://github.com/grpc-ecosystem/go-grpc-prometheus), which the dashboards of gRPC ask for, and the failures by our own
 * codes. Once for a registry.
 */
export function countCalls(registry: Registry): CallObserver {
  const tallies = new Map<string, MethodTally>();
  const problems = new Map<string, number>();
  collectCounter(registry, {
    name: 'grpc_server_started_total',
    help: 'Calls that have come, by method, which is "none" where there is no such one',
    labels: OF_METHOD,
    *series() {
      for (const { labels, started } of tallies.values()) yield [labels, started];
    },
  });
  collectCounter(registry, {
    name: 'grpc_server_handled_total',
    help: 'Calls that have ended, by method and by status, which is Canceled where the client left',
    labels: [...OF_METHOD, 'grpc_code'],
    *series() {
      for (const { labels, statuses } of tallies.values()) {
        for (const [status, count] of statuses) yield [{ ...labels, grpc_code: status }, count];
      }
    },
  });
  collectHistogram(registry, {
    name: 'grpc_server_handling_seconds',
    help: 'From the metadata of a call to its end',
    labels: OF_METHOD,
    bounds: SECONDS,
    *series() {
      for (const { labels, seconds } of tallies.values()) yield [labels, seconds];
    },
  });
  collectCounter(registry, {
    name: 'grpc_problems_total',
    help: 'Calls that failed, by the code of their x-error-code',
    labels: ['code'],
    *series() {
      for (const [code, count] of problems) yield [{ code }, count];
    },
  });

  function tallyOf({ type, service, method }: CalledMethod): MethodTally {
    const name = `${service}/${method}`;
    let tally = tallies.get(name);
    if (tally === undefined) {
      const labels = { grpc_type: type, grpc_service: service, grpc_method: method };
      tally = { labels, started: 0, seconds: new Distribution(SECONDS), statuses: new Map() };
      tallies.set(name, tally);
    }
    return tally;
  }

  return {
    started(method) {
      tallyOf(method).started++;
    },
    ended(method, { status, code, durationMs }) {
      const { seconds, statuses } = tallyOf(method);
      seconds.add(durationMs / 1000);
      increment(statuses, status);
      if (code !== undefined) increment(problems, code);
    },
  };
}
