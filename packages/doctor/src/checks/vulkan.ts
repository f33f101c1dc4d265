import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Check } from '../check.ts';
import { findLibrary, type LibraryPlaces } from '../library-search.ts';
import type { Finding } from '../report.ts';

/**
 * Where the loader looks for descriptions of drivers, of those places what drivers use:
 * https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md#driver-discovery-on-linux
 */
const FOLDERS = [
  '/etc/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
];

/** The Vulkan loader and the drivers that it would find: WebGPU computes through them on Linux. It proves nothing either. */
export function vulkanCheck(
  places: LibraryPlaces,
  environment: Readonly<Record<string, string | undefined>>,
  folders: readonly string[] = FOLDERS,
): Check {
  return {
    group: 'gpu',
    name: 'vulkan',
    examine: () => (process.platform === 'linux' ? examineVulkan(places, environment, folders) : elsewhere()),
  };
}

function examineVulkan(
  places: LibraryPlaces,
  environment: Readonly<Record<string, string | undefined>>,
  folders: readonly string[],
): Finding {
  const loader = findLibrary('libvulkan.so.1', places);
  const drivers = driverFiles(environment, folders);
  const broken = drivers.flatMap((file) => faultOf(file, places) ?? []);
  const facts = { loader: loader?.path ?? null, drivers, broken };
  const whole = drivers.length - broken.length;
  const remedies = [
    ...(loader === null ? ['Install the Vulkan loader (Debian and Ubuntu: libvulkan1).'] : []),
    ...(whole === 0
      ? [
          'Install the driver of the GPU with its Vulkan part; in a container set NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics.',
        ]
      : []),
  ];
  const summary = [
    loader === null ? 'no loader (libvulkan.so.1)' : `loader ${loader.version}`,
    drivers.length === 0 ? 'no driver' : `drivers: ${drivers.join(', ')}`,
    ...broken,
  ].join('; ');
  if (remedies.length === 0) return { status: 'ok', summary, facts };
  return { status: 'note', summary: `${summary}; so no WebGPU`, remedy: remedies.join(' '), facts };
}

/** Those that the environment names, alone, or those in the folders. */
function driverFiles(environment: Readonly<Record<string, string | undefined>>, folders: readonly string[]): string[] {
  const named = [environment['VK_DRIVER_FILES'], environment['VK_ICD_FILENAMES']].find(
    (files) => files !== undefined && files !== '',
  );
  const places = named === undefined ? folders : named.split(':').filter(Boolean);
  return places.flatMap((place) => {
    if (place.endsWith('.json')) return [place];
    try {
      return readdirSync(place)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(place, name));
    } catch {
      return [];
    }
  });
}

/** What is wrong with a driver's description; null where it names a library that is there. */
function faultOf(file: string, places: LibraryPlaces): string | null {
  try {
    const { ICD } = JSON.parse(readFileSync(file, 'utf8')) as { ICD?: { library_path?: string } };
    const path = ICD?.library_path ?? '';
    const isThere = path.includes('/')
      ? existsSync(isAbsolute(path) ? path : resolve(dirname(file), path))
      : findLibrary(path, places)?.isLinked === true;
    return isThere ? null : `${file} names a library that is not there (${path})`;
  } catch {
    return `${file} cannot be read`;
  }
}

function elsewhere(): Finding {
  return { status: 'ok', summary: `not needed on ${process.platform}: WebGPU has another way to the GPU there` };
}
