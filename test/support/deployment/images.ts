import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceConfig, readConfig } from '@atelier/inference';
import { readTrainerConfig, readWorkerConfig, TrainerConfig, WorkerConfig } from '@atelier/trainer';
import { settingsOf } from '@atelier/http';
import { ROOT } from '../programs.ts';

/** What a target of a Dockerfile says of the containers that are started of it. */
export interface Image {
  service: 'inference' | 'trainer';
  target: string;
  /** `uid:gid`. */
  user: string;
  environment: Record<string, string>;
  /** The program that it starts unless another is named. */
  command: string[];
  port: number;
  /** The words of its `HEALTHCHECK`. */
  healthCheck: string[];
}

/** What a program that a container runs may be told by its environment. */
export interface Program {
  source: string;
  variables: readonly string[];
  /** Throws what the program itself would, with every fault of the environment. */
  read: (environment: Record<string, string>) => object;
}

const variablesOf = (schema: Parameters<typeof settingsOf>[0]) => settingsOf(schema).map(({ variable }) => variable);

/** By service and by the file that Node is started with. */
const PROGRAMS: Record<Image['service'], Record<string, Program>> = {
  inference: {
    'main.mjs': {
      source: 'services/inference/src/main.ts',
      variables: variablesOf(InferenceConfig),
      read: readConfig,
    },
  },
  trainer: {
    'main.mjs': {
      source: 'services/trainer/src/main.ts',
      variables: variablesOf(TrainerConfig),
      read: readTrainerConfig,
    },
    'worker.mjs': {
      source: 'services/trainer/src/worker.ts',
      variables: variablesOf(WorkerConfig),
      read: readWorkerConfig,
    },
  },
};

/** The program of a container of ours; throws where there is none of this name. */
export function programOf({ service, command }: Image, words: readonly string[] = command): Program {
  const [file = ''] = words;
  const program = PROGRAMS[service][file];
  if (words.length === 1 && program !== undefined) return program;
  throw new Error(`${service} has no program "${words.join(' ')}", only ${Object.keys(PROGRAMS[service]).join(', ')}`);
}

/** The image behind a name such as `atelier-trainer:cuda`, or undefined for one of others; throws where we build no such one. */
export function imageNamed(name: string): Image | undefined {
  const [, service, target] = /^atelier-(inference|trainer):(.+)$/.exec(name) ?? [];
  if (service !== undefined && target !== undefined) return imageOf(service as Image['service'], target);
  if (name.startsWith('atelier')) throw new Error(`${name} is no atelier-inference or atelier-trainer with a target`);
  return undefined;
}

/** What a target of `docker/<service>.Dockerfile` says. */
export function imageOf(service: Image['service'], target: string): Image {
  const text = readFileSync(join(ROOT, 'docker', `${service}.Dockerfile`), 'utf8');
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const from = lines.findIndex((line) => line.startsWith('FROM ') && line.endsWith(` AS ${target}`));
  if (from === -1) throw new Error(`docker/${service}.Dockerfile has no target ${target}`);
  const next = lines.findIndex((line, index) => index > from && line.startsWith('FROM '));
  const stage = lines.slice(from + 1, next === -1 ? undefined : next);
  const last = (instruction: string) =>
    stage.findLast((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1) ?? '';
  const assignments = stage.filter((line) => line.startsWith('ENV ')).join(' ');
  return {
    service,
    target,
    user: last('USER'),
    environment: Object.fromEntries(
      [...assignments.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
    ),
    command: JSON.parse(last('CMD')) as string[],
    port: Number(last('EXPOSE')),
    healthCheck: JSON.parse(/CMD (\[.*\])$/.exec(last('HEALTHCHECK'))?.[1] ?? '[]') as string[],
  };
}
