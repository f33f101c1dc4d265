import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Check } from '../check.ts';
import type { Finding } from '../report.ts';
import { sizeInWords } from '../sizes.ts';

export interface FolderNeeds {
  group: string;
  name: string;
  path: string;
  /** The variable that says where it is, for the remedy; null where none does. */
  variable: string | null;
  /** What cannot be done where it cannot be written; null where nothing must be written. */
  written: string | null;
  /** Where it cannot be written, that is a note and no fault: something else is used. Default: false. */
  isOptional?: boolean;
  /** Free bytes below which there is a note; below a tenth of it a fault, where it must be written. Default: 1 GiB. */
  enoughBytes?: number;
}

/** A folder: there or to be made, written on trial, and the free space of its disk. */
export function folderCheck(needs: FolderNeeds): Check {
  return { group: needs.group, name: needs.name, examine: () => examineFolder(needs) };
}

/** Of the folder that bundles are kept in; compiled code, which has none, has nothing to be checked. */
export function bundleCacheChecks(group: string, path: string | null): Check[] {
  if (path === null) return [];
  const written = 'each start bundles anew, which takes a second';
  return [folderCheck({ group, name: 'bundle-cache', path, variable: null, written, isOptional: true })];
}

const ENOUGH_BYTES = 2 ** 30;

async function examineFolder(needs: FolderNeeds): Promise<Finding> {
  const path = resolve(needs.path);
  const { isOptional = false, enoughBytes = ENOUGH_BYTES } = needs;
  const failing = isOptional ? 'note' : 'fault';
  const change =
    needs.variable === null ? 'Make it writable' : `Make it writable, or name another in ${needs.variable}`;
  const nearest = await nearestFolder(path);
  if (nearest.fault !== null) {
    const facts = { path, writable: false, freeBytes: null };
    return { status: failing, summary: `${path}: ${nearest.fault}`, remedy: `${change}.`, facts };
  }
  const writable = await canWrite(nearest.path);
  const freeBytes = await freeIn(nearest.path);
  const facts = { path, writable: writable === null, freeBytes, exists: nearest.path === path };
  const state = nearest.path === path ? '' : ' (to be made)';
  if (writable !== null && needs.written !== null) {
    const summary = `${path}${state} cannot be written (${writable}): ${needs.written}`;
    return {
      status: failing,
      summary,
      remedy: `${change}; this process runs as user ${process.getuid?.() ?? 'unknown'}.`,
      facts,
    };
  }
  if (nearest.path !== path && needs.written === null) {
    const summary = `${path} is not there`;
    return {
      status: failing,
      summary,
      remedy: needs.variable === null ? 'Make it.' : `Name one in ${needs.variable}.`,
      facts,
    };
  }
  const summary = `${path}${state}, ${writable === null ? '' : 'read only, '}${sizeInWords(freeBytes)} free`;
  if (writable !== null) return (await canRead(path)) ? { status: 'note', summary, facts } : unreadable(path, facts);
  if (freeBytes < enoughBytes) {
    const isFull = freeBytes < enoughBytes / 10 && !isOptional;
    return {
      status: isFull ? 'fault' : 'note',
      summary: `${summary}: ${isFull ? 'too little' : `less than ${sizeInWords(enoughBytes)}`}`,
      remedy: `Free some${needs.variable === null ? '' : `, or name a folder on another disk in ${needs.variable}`}.`,
      facts,
    };
  }
  return { status: 'ok', summary, facts };
}

function unreadable(path: string, facts: Finding['facts']): Finding {
  return {
    status: 'fault',
    summary: `${path} cannot be read`,
    remedy: `Let user ${process.getuid?.() ?? 'unknown'} read it.`,
    ...(facts && { facts }),
  };
}

/** The folder itself, or the one that it would be made in. */
async function nearestFolder(path: string): Promise<{ path: string; fault: string | null }> {
  try {
    return { path, fault: (await stat(path)).isDirectory() ? null : 'it is a file' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) return nearestFolder(dirname(path));
    return { path, fault: reasonOf(code) };
  }
}

/** Null where it can; permissions alone do not tell: root may write everywhere, but not on a disk that is read only. */
async function canWrite(folder: string): Promise<string | null> {
  const trial = join(folder, `.${randomUUID()}`);
  try {
    await mkdir(trial);
    await rmdir(trial);
    return null;
  } catch (error) {
    return reasonOf((error as NodeJS.ErrnoException).code);
  }
}

async function canRead(folder: string): Promise<boolean> {
  return access(folder, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function freeIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const REASONS: Record<string, string> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'its disk is read only',
  ENOSPC: 'its disk is full',
  ENOTDIR: 'a part of its path is a file',
};

function reasonOf(code = 'unknown'): string {
  return REASONS[code] ?? code;
}
