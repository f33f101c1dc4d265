import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../programs.ts';

/** The folder that paths in the file are relative to. */
export const COMPOSE_FOLDER = join(ROOT, 'docker');

/** The part of a service in `docker/compose.yaml` that tests ask about. */
export interface ComposeService {
  profiles: string[];
  image: string;
  build?: { context: string; dockerfile: string; target: string };
  user: string;
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  tmpfs?: string[];
  mem_limit: string;
  volumes?: (string | { type: string; source: string; target: string; read_only?: boolean; volume?: object })[];
  configs?: { source: string; target: string }[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean; test?: string[] };
  networks: string[] | Record<string, { aliases?: string[] }>;
  stop_grace_period?: string;
  deploy?: { resources: { reservations: { devices: { driver: string; capabilities: string[] }[] } } };
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  configs: Record<string, { content: string }>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
}

/** `docker/compose.yaml` as Compose sees it where these variables are set. */
export function readCompose(variables: Record<string, string>): ComposeFile {
  const read = parse(readFileSync(join(COMPOSE_FOLDER, 'compose.yaml'), 'utf8'), { merge: true }) as ComposeFile;
  return interpolated(read, variables) as ComposeFile;
}

/** The names that services of a network know a service by. */
export function namesOn(network: string, name: string, { networks }: ComposeService): string[] {
  if (Array.isArray(networks)) return networks.includes(network) ? [name] : [];
  return network in networks ? [...new Set([name, ...(networks[network]?.aliases ?? [])])] : [];
}

/** `512m`, `1g` and so on, in bytes. */
export function bytesOf(size: string): number {
  const [, number, unit = ''] = /^(\d+)([kmg]?)$/.exec(size) ?? [];
  if (number === undefined) throw new Error(`${size} is no size`);
  return Number(number) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit);
}

/** As https://docs.docker.com/reference/compose-file/interpolation says, of which the file uses three forms. */
function interpolated(value: unknown, variables: Record<string, string>): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{(\w+)(?:(:-|:\?)([^}]*))?\}/g, (_whole, name: string, operator, word: string) => {
      const set = variables[name] ?? '';
      if (set !== '') return set;
      if (operator === ':?') throw new Error(`${name} is not set: ${word}`);
      return operator === ':-' ? word : '';
    });
  }
  if (Array.isArray(value)) return value.map((each) => interpolated(each, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolated(each, variables)]));
}
