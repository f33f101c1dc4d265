import { readFileSync } from 'node:fs';
import type { Check } from '../check.ts';
import { compareVersions } from '../version-numbers.ts';

/** As the project's package.json says it: ">=20.19". */
export const NODE_RANGE = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { engines: { node: string } }
).engines.node;

/** What tfjs-node-gpu 4.22 has binaries for. */
const TFJS_NODE_MAJORS = [20, 22];

export function nodeCheck(version = process.versions.node): Check {
  return {
    group: 'machine',
    name: 'node',
    examine: () => {
      const facts = { version, wanted: NODE_RANGE, platform: process.platform, architecture: process.arch };
      const summary = `${version} on ${process.platform} ${process.arch} (wanted: ${NODE_RANGE})`;
      if (compareVersions(version, NODE_RANGE.replace(/^>=/, '')) < 0) {
        return { status: 'fault', summary, remedy: `Install Node ${NODE_RANGE.slice(2)} or newer.`, facts };
      }
      if (TFJS_NODE_MAJORS.includes(Number.parseInt(version, 10))) return { status: 'ok', summary, facts };
      return {
        status: 'ok',
        summary: `${summary}; tfjs-node-gpu alone would want Node ${TFJS_NODE_MAJORS.join(' or ')}`,
        facts,
      };
    },
  };
}
