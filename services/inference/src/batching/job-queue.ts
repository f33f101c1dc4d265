import type { Job } from './jobs.ts';

/** Jobs of one model and priority, the oldest first. */
export class JobQueue {
  readonly #maximumRows: number;
  #jobs: Job[] = [];
  #rows = 0;

  /** `maximumRows`: of a batch of them. */
  constructor(maximumRows: number) {
    this.#maximumRows = maximumRows;
  }

  get rows(): number {
    return this.#rows;
  }

  /** A batch of them could not be larger. */
  get isFull(): boolean {
    return this.#rows >= this.#maximumRows;
  }

  /** When the oldest came; infinity without one. */
  get since(): number {
    return this.#jobs[0]?.enqueuedAt ?? Infinity;
  }

  add(job: Job): void {
    this.#jobs.push(job);
    this.#rows += job.rows;
  }

  /** The oldest jobs that a batch can take together; one at least. */
  take(): Job[] {
    let count = 0;
    let rows = 0;
    for (const job of this.#jobs) {
      if (count > 0 && rows + job.rows > this.#maximumRows) break;
      count++;
      rows += job.rows;
    }
    this.#rows -= rows;
    return this.#jobs.splice(0, count);
  }

  takeAll(): Job[] {
    const jobs = this.#jobs;
    this.#jobs = [];
    this.#rows = 0;
    return jobs;
  }

  /** Whether it was here. */
  remove(job: Job): boolean {
    const place = this.#jobs.indexOf(job);
    if (place < 0) return false;
    this.#jobs.splice(place, 1);
    this.#rows -= job.rows;
    return true;
  }
}
