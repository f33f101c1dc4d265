import { z } from 'zod';

/** What a worker says of itself. */
export const AnnouncedWorker = z.object({
  id: z.string().describe('Unique among the living ones'),
  host: z.string().describe('Name of its machine'),
  devices: z.unknown().describe('What it can train on'),
});
export type AnnouncedWorker = Readonly<z.infer<typeof AnnouncedWorker>>;

/** Who works, on whatever machine. */
export interface WorkerDirectory {
  /**
   * Says now, and every `everyMs` from then on, that a worker lives; three silences later it counts as gone. Resolves after
   * the first time, whether it was heard or not.
   */
  announce(worker: AnnouncedWorker, everyMs: number): Promise<Announcement>;
  /** The living ones, by id. */
  workers(): Promise<AnnouncedWorker[]>;
}

export interface Announcement {
  /** Takes it back at once. */
  close(): Promise<void>;
}
