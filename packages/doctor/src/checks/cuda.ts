import type { Check } from '../check.ts';
import { findLibrary, type LibraryPlaces, otherVersions } from '../library-search.ts';
import type { Finding } from '../report.ts';

/** Libraries of CUDA and cuDNN that somebody is linked with. */
export interface CudaNeeds {
  /** Who needs them. */
  name: string;
  /** In words: "CUDA 12 and cuDNN 9". */
  wanted: string;
  sonames: readonly string[];
}

/**
 * The CUDA provider of onnxruntime-node 1.30, whose install script fetches `cuda12`:
 * https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
 */
export const ONNXRUNTIME_CUDA: CudaNeeds = {
  name: "onnxruntime's CUDA provider",
  wanted: 'CUDA 12 and cuDNN 9',
  sonames: [
    'libcudart.so.12',
    'libcublas.so.12',
    'libcublasLt.so.12',
    'libcufft.so.11',
    'libcurand.so.10',
    'libcudnn.so.9',
  ],
};

/** libtensorflow 2.9.1, which tfjs-node-gpu 4.22 fetches: https://www.tensorflow.org/install/source#gpu */
export const TFJS_CUDA: CudaNeeds = {
  name: 'tfjs-node-gpu',
  wanted: 'CUDA 11.2 and cuDNN 8.1',
  sonames: [
    'libcudart.so.11.0',
    'libcublas.so.11',
    'libcublasLt.so.11',
    'libcufft.so.10',
    'libcurand.so.10',
    'libcusolver.so.11',
    'libcusparse.so.11',
    'libcudnn.so.8',
  ],
};

/** What there is of CUDA, against what is needed. It proves nothing: the run on the device does. */
export function cudaCheck(group: string, name: string, needs: CudaNeeds, places: LibraryPlaces): Check {
  return {
    group,
    name,
    examine: () => (process.platform === 'linux' ? examineCuda(needs, places) : elsewhere()),
  };
}

function examineCuda({ name, wanted, sonames }: CudaNeeds, places: LibraryPlaces): Finding {
  const found = sonames.map((soname) => ({ soname, library: findLibrary(soname, places) }));
  const missing = found.filter(({ library }) => library === null).map(({ soname }) => soname);
  const unlinked = found.flatMap(({ library }) => (library !== null && !library.isLinked ? [library] : []));
  const versionOf = (stem: string) =>
    found.find(({ soname }) => soname.startsWith(`${stem}.so.`))?.library?.version ?? null;
  const [runtime, cudnn] = [versionOf('libcudart'), versionOf('libcudnn')];
  const others = [...new Set([...otherVersions('libcudart', places), ...otherVersions('libcudnn', places)])];
  const facts = { wanted, cudaVersion: runtime, cudnnVersion: cudnn, missing, otherVersions: others };
  if (missing.length === 0 && unlinked.length === 0) {
    return { status: 'ok', summary: `CUDA ${runtime}, cuDNN ${cudnn}; ${name} wants ${wanted}`, facts };
  }
  if (missing.length === 0) {
    const folder = unlinked[0]?.path.replace(/\/[^/]+$/, '') ?? '';
    return {
      status: 'note',
      summary: `CUDA ${runtime} and cuDNN ${cudnn} are there, but the linker is not told of ${folder}`,
      remedy: `Set LD_LIBRARY_PATH=${folder}, or name that folder in /etc/ld.so.conf.d and run ldconfig.`,
      facts,
    };
  }
  const instead = describeVersions(places);
  const count = missing.length === sonames.length ? 'none' : `not ${missing.join(', ')}`;
  return {
    status: 'note',
    summary: `${count} of what ${name} wants (${wanted})${instead === '' ? '' : `; there is ${instead}`}`,
    remedy: `To use an NVIDIA GPU this way, install ${wanted}; several versions of CUDA can lie side by side.`,
    facts,
  };
}

function describeVersions(places: LibraryPlaces): string {
  const named = (name: string, stem: string) => otherVersions(stem, places).map((version) => `${name} ${version}`);
  return [...named('CUDA', 'libcudart'), ...named('cuDNN', 'libcudnn')].join(', ');
}

function elsewhere(): Finding {
  return {
    status: 'note',
    summary: `is looked for on Linux only, not on ${process.platform}`,
    remedy: 'The run on each device says what works.',
  };
}
