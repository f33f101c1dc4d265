import type { Check } from '../check.ts';
import { compareVersions } from '../version-numbers.ts';

/** The newest symbols that onnxruntime-node's and sharp's libraries ask for; a test reads them from the files. */
export const OLDEST_GLIBC = '2.28';

/** What Node says of the C library. */
export interface LibcFacts {
  platform: string;
  /** Null where Node runs on another C library than glibc. */
  glibc: string | null;
}

export function libcCheck(libc: LibcFacts = thisLibc()): Check {
  return { group: 'machine', name: 'libc', examine: () => examineLibc(libc) };
}

function examineLibc({ platform, glibc }: LibcFacts) {
  if (platform !== 'linux') {
    return { status: 'ok', summary: `the one of ${platform}`, facts: { libc: platform, version: null } } as const;
  }
  const wanted = `glibc ${OLDEST_GLIBC} or newer`;
  if (glibc === null) {
    return {
      status: 'fault',
      summary: `musl, or another C library that is not glibc; onnxruntime-node has libraries for ${wanted} only`,
      remedy: 'Use a system with glibc: in a container Debian slim in place of Alpine.',
      facts: { libc: 'musl', version: null },
    } as const;
  }
  const facts = { libc: 'glibc', version: glibc };
  if (compareVersions(glibc, OLDEST_GLIBC) < 0) {
    const remedy = `Use a system with ${wanted}, such as Debian 10 or Ubuntu 20.04 and everything newer.`;
    return { status: 'fault', summary: `glibc ${glibc}; wanted: ${wanted}`, remedy, facts } as const;
  }
  return { status: 'ok', summary: `glibc ${glibc} (wanted: ${OLDEST_GLIBC} or newer)`, facts } as const;
}

function thisLibc(): LibcFacts {
  // Since Node 20.13 it can be told not to look at the network, which may take seconds.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return { platform: process.platform, glibc: header.glibcVersionRuntime ?? null };
}
