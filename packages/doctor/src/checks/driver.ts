import { readFileSync } from 'node:fs';
import type { Check } from '../check.ts';
import { findLibrary, type LibraryPlaces } from '../library-search.ts';
import type { Finding } from '../report.ts';
import { compareVersions } from '../version-numbers.ts';

/** Where the kernel's module says its version. */
const VERSION_FILE = '/proc/driver/nvidia/version';

/** For any CUDA 12 on Linux: https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html */
const OLDEST_FOR_CUDA_12 = '525.60.13';

/** The driver of an NVIDIA GPU: the kernel's module, and the library that speaks to it. */
export function driverCheck(places: LibraryPlaces, versionFile = VERSION_FILE): Check {
  return { group: 'gpu', name: 'nvidia-driver', examine: () => examineDriver(places, versionFile) };
}

function examineDriver(places: LibraryPlaces, versionFile: string): Finding {
  const version = /Kernel Module(?: for \S+)?\s+([\d.]+)/.exec(contentOf(versionFile))?.[1] ?? null;
  const library = findLibrary('libcuda.so.1', places);
  const facts = { version, library: library?.path ?? null, wanted: `>=${OLDEST_FOR_CUDA_12}` };
  if (version === null && library === null) {
    return {
      status: 'note',
      summary: 'none, so no CUDA',
      remedy:
        'With an NVIDIA GPU: install its driver on the machine itself; a container also needs the NVIDIA Container Toolkit.',
      facts,
    };
  }
  if (library === null) {
    return {
      status: 'note',
      summary: `${version} in the kernel, but libcuda.so.1 is not there`,
      remedy:
        'In a container: start it with --gpus all and NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics, with the NVIDIA Container Toolkit on the machine.',
      facts,
    };
  }
  if (version === null) {
    return {
      status: 'note',
      summary: `libcuda.so.1 is there (${library.path}), but no driver in the kernel`,
      remedy: 'Under WSL 2 that is as it should be; elsewhere load the module: nvidia-smi says why it is not.',
      facts,
    };
  }
  if (compareVersions(version, OLDEST_FOR_CUDA_12) < 0) {
    const remedy = `Update the driver to ${OLDEST_FOR_CUDA_12} or newer.`;
    return { status: 'note', summary: `${version}, too old for CUDA 12`, remedy, facts };
  }
  return { status: 'ok', summary: `${version} (wanted for CUDA 12: ${OLDEST_FOR_CUDA_12} or newer)`, facts };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
