import { type FSWatcher, watch } from 'node:fs';
import { messageOf } from '@atelier/domain';
import type { Log } from '@atelier/http';

/** Files that are copied one after the other are one change. */
const SETTLE_MS = 25;

/** Tells of changes in folders, which come and go. */
export interface FolderWatch {
  /**
   * Watches these folders and no others; true where one of them is watched from now on only, so that what changed in it
   * before was not told.
   */
  follow(folders: ReadonlyMap<string, string>): boolean;
  close(): void;
}

interface Watched {
  identity: string;
  watcher: FSWatcher;
}

/**
 * Calls `changed` soon after a change of an entry in a folder; hidden entries, with which publishing begins, do not count.
 * Where the system has no watches left, or none for that kind of folder, the log says so once: polling finds the change.
 */
export function watchFolders(changed: () => void, log: Log): FolderWatch {
  const watched = new Map<string, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let complained = false;

  function tell(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed();
    }, SETTLE_MS).unref();
  }

  function drop(path: string): void {
    watched.get(path)?.watcher.close();
    watched.delete(path);
  }

  function begin(path: string, identity: string): boolean {
    try {
      const watcher = watch(path, { persistent: false }, (_event, entry) => {
        if (entry?.startsWith('.') !== true) tell();
      });
      watcher.on('error', () => {
        drop(path);
        tell();
      });
      watched.set(path, { identity, watcher });
      return true;
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isGone && !complained) log.warn({ err: error }, `${path} cannot be watched: ${messageOf(error)}`);
      complained ||= !isGone;
      return false;
    }
  }

  return {
    follow(folders) {
      // A folder that was removed and made again is watched anew: the watch is on what was there.
      for (const [path, { identity }] of watched) if (folders.get(path) !== identity) drop(path);
      let isNew = false;
      for (const [path, identity] of folders) {
        if (!watched.has(path)) isNew = begin(path, identity) || isNew;
      }
      return isNew;
    },
    close() {
      clearTimeout(timer);
      for (const path of [...watched.keys()]) drop(path);
    },
  };
}
