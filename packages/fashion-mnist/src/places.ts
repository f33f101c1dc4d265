import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import { partPathOf, saveAll, saveFile } from './cache.ts';
import type { Search } from './dataset.ts';
import { DEBIAN_FOLDER, DEBIAN_PACKAGE, type DebianTools, withDebianPackage } from './debian-package.ts';
import { download } from './download.ts';
import { type Contents, type DatasetFile, PARTS } from './edition.ts';
import { decompressVerified, readFolder, readVerified } from './folder.ts';

/** Where the data set may come from. A failure's message names the place. */
export interface Place {
  readonly name: string;
  readonly read: () => Promise<Contents>;
}

/** The places in the order in which they are tried; what is near and costs nothing comes first. */
export function placesOf(search: Search): Place[] {
  const { cacheDirectory, systemDirectory, sources, debianTools, edition } = search;
  return [
    { name: cacheDirectory, read: () => readFolder(cacheDirectory, edition) },
    { name: systemDirectory, read: () => readFolder(systemDirectory, edition) },
    ...sources.map((source) => ({ name: source, read: () => readSource(source, search) })),
    ...(debianTools === null ? [] : [debianPlace(debianTools, search)]),
  ];
}

/** Fetches what the cache lacks, so files that came whole before an earlier failure are not fetched again. */
async function readSource(source: string, search: Search): Promise<Contents> {
  const { cacheDirectory, edition } = search;
  await mkdir(cacheDirectory, { recursive: true });
  const contents: Partial<Contents> = {};
  for (const part of PARTS) {
    const file = edition[part];
    contents[part] = (await readGood(cacheDirectory, file)) ?? (await fetchFile(source, file, search));
  }
  return contents as Contents;
}

/** Null for a corrupt file too: whoever read the cache before has named it, and now it is replaced. */
async function readGood(folder: string, file: DatasetFile): Promise<Uint8Array | null> {
  try {
    return await readVerified(folder, file);
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}

async function fetchFile(source: string, file: DatasetFile, search: Search): Promise<Uint8Array> {
  const partPath = partPathOf(search.cacheDirectory, file);
  const isResumed = await stat(partPath).then(
    ({ size }) => size > 0,
    () => false,
  );
  const bytes = await fetchVerified(source, file, partPath, search).catch((error: unknown) => {
    // The part may have been of another file; without it the same source deserves a second try.
    if (isResumed && error instanceof DomainError) return fetchVerified(source, file, partPath, search);
    throw error;
  });
  await saveFile(search.cacheDirectory, file, bytes);
  return bytes;
}

async function fetchVerified(source: string, file: DatasetFile, partPath: string, search: Search): Promise<Uint8Array> {
  const name = `${file.name}.gz`;
  const url = `${source}/${name}`;
  const stored = await download(url, partPath, {
    ...search,
    maximumBytes: file.sizeBytes + 65_536, // gzip adds a few bytes at most, and the file may come plain
    onProgress: (receivedBytes, totalBytes) => {
      search.onProgress({ file: name, receivedBytes, totalBytes });
    },
  });
  // Complete, so either good or useless: nothing to resume.
  await rm(partPath, { force: true });
  return decompressVerified(stored, file, url);
}

function debianPlace(tools: DebianTools, { cacheDirectory, edition, signal, onNotice }: Search): Place {
  const name = `Debian package ${DEBIAN_PACKAGE}`;
  const read = async (): Promise<Contents> => {
    onNotice(`Fetching the ${name} (31 MB) by ${tools.aptGet}.`);
    try {
      return await withDebianPackage(DEBIAN_PACKAGE, tools, signal, async (root) => {
        const contents = await readFolder(join(root, DEBIAN_FOLDER), edition);
        await saveAll(cacheDirectory, edition, contents);
        return contents;
      });
    } catch (cause) {
      throw new Error(`${name}: ${messageOf(cause)}`, { cause });
    }
  };
  return { name, read };
}
