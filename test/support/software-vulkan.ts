import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withDebianPackage } from '@atelier/fashion-mnist';
import { ROOT } from './programs.ts';

/**
 * SwiftShader, the Vulkan driver that computes on the processor and that every Chromium carries, and the Vulkan loader.
 * Mesa's llvmpipe is no substitute: Dawn, which is WebGPU in onnxruntime and in the package `webgpu`, refuses it.
 */
const LOADER = 'libvulkan.so.1';
const DRIVER = 'vk_swiftshader_icd.json';
const FILES = [LOADER, DRIVER, 'libvk_swiftshader.so'];

/** Where Debian's package and Google's own put them. */
const DEBIAN_FOLDER = '/usr/lib/chromium';
const FOLDERS = [DEBIAN_FOLDER, '/opt/google/chrome'];

const CACHE = join(ROOT, 'data', 'swiftshader');

/**
 * The environment in which a child process finds a Vulkan driver on a machine without a GPU. Where no browser brings
 * one, Debian's package chromium-common is fetched once (32 MB) and three files of it are kept. Rejects with what kept it from coming.
 */
export async function softwareVulkan(): Promise<{ VK_DRIVER_FILES: string; LD_LIBRARY_PATH: string }> {
  if (process.platform !== 'linux') throw new Error('SwiftShader is looked for on Linux only');
  const folder = [...FOLDERS, CACHE].find(hasAll) ?? (await fetchIntoCache());
  const libraries = process.env['LD_LIBRARY_PATH'];
  return {
    VK_DRIVER_FILES: join(folder, DRIVER),
    LD_LIBRARY_PATH: libraries === undefined || libraries === '' ? folder : `${folder}:${libraries}`,
  };
}

function hasAll(folder: string): boolean {
  return FILES.every((name) => existsSync(join(folder, name)));
}

/** Copied beside and renamed, so that what is there is whole. */
async function fetchIntoCache(): Promise<string> {
  const tools = { aptGet: 'apt-get', dpkgDeb: 'dpkg-deb' };
  await mkdir(join(ROOT, 'data'), { recursive: true });
  const beside = await mkdtemp(`${CACHE}-`);
  try {
    await withDebianPackage('chromium-common', tools, AbortSignal.timeout(10 * 60_000), async (root) => {
      for (const name of FILES) await copyFile(join(root, DEBIAN_FOLDER, name), join(beside, name));
    });
    await rm(CACHE, { recursive: true, force: true });
    await rename(beside, CACHE);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  return CACHE;
}
