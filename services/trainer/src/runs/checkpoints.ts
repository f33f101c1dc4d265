import { copyFile, link, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@atelier/domain';
import type { EpochEnd, Past } from '../fit.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Origin } from './checkpoint.ts';
import { besides, storageError, putInPlace, writeBeside } from './whole-file.ts';

const LAST = 'last.safetensors';
const BEST = /^best-\d+\.safetensors$/;

/** What a resumed training begins with; the history is elsewhere. */
type SavedEnd = EpochEnd & Pick<Past, 'bestState'>;

/**
 * A run's `checkpoint/`: `last.safetensors` after the last epoch, and where early stopping keeps another epoch's
 * weights, `best-<epoch>.safetensors`. The best one is there before the last one names it, and an older best one until
 * after, so whichever write is cut short, the two fit each other.
 */
export class Checkpoints {
  readonly #directory: string;
  #bestEpoch: number | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Writes an epoch's end beside; it counts from `commit` on. */
  async prepare(origin: Origin, { standing, state }: EpochEnd): Promise<void> {
    const last = this.#path(LAST);
    await writeBeside(last, encodeCheckpoint({ origin, standing, state }));
    if (standing.bestEpoch === standing.epoch)
      await this.#linkBest(besides(last), this.#path(bestFile(standing.epoch)));
    this.#bestEpoch = standing.bestEpoch;
  }

  async commit(): Promise<void> {
    await putInPlace(this.#path(LAST));
    const kept = this.#bestEpoch === null ? null : bestFile(this.#bestEpoch);
    for (const name of await readdir(this.#directory)) {
      if (BEST.test(name) && name !== kept) await rm(this.#path(name));
    }
  }

  /** Null where no checkpoint was committed; `invalid-checkpoint` for one that is damaged or not of `origin`. */
  async read(origin: Origin): Promise<SavedEnd | null> {
    const last = await this.#readFile(LAST, origin);
    if (last === null) return null;
    const { standing, state } = last;
    if (standing.bestEpoch === null) return { standing, state, bestState: null };
    const name = bestFile(standing.bestEpoch);
    const best = await this.#readFile(name, origin);
    if (best?.standing.epoch === standing.bestEpoch) return { standing, state, bestState: best.state };
    const found = best === null ? 'no such file' : `the state of epoch ${best.standing.epoch}`;
    const expected = `the state of epoch ${standing.bestEpoch}, the best one`;
    throw new DomainError('invalid-checkpoint', `${this.#path(name)}: expected ${expected}, found ${found}.`);
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #readFile(name: string, origin: Origin): Promise<Checkpoint | null> {
    const path = this.#path(name);
    const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return null;
      throw new DomainError('invalid-checkpoint', `${path} cannot be read: ${cause.message}`, { cause });
    });
    return bytes === null ? null : decodeCheckpoint(bytes, path, origin);
  }

  /** The same bytes under a second name; copied where the file system has no links. */
  async #linkBest(from: string, to: string): Promise<void> {
    await rm(to, { force: true });
    await link(from, to).catch(async () => {
      await copyFile(from, to).catch(async (error: unknown) => {
        await rm(to, { force: true });
        throw storageError(error, to);
      });
    });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

function bestFile(epoch: number): string {
  return `best-${epoch}.safetensors`;
}
