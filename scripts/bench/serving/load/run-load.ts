import { setTimeout as pause } from 'node:timers/promises';
import { faultOf } from './check-answer.ts';
import { Connection, type Outcome } from './connection.ts';
import type { LoadPlan, LoadReport, PreparedRequest } from './load-plan.ts';
import { Tally } from './tally.ts';

const HUNG_AFTER_MS = 30_000;

/** Sends what the plan says to a server on 127.0.0.1, and resolves when every request has its outcome. */
export async function runLoad(plan: LoadPlan): Promise<LoadReport> {
  const load = new Load(plan);
  const watch = setInterval(() => load.expire(), 100);
  try {
    await (plan.ratePerSecond === undefined ? load.closedLoop() : load.openLoop(plan.ratePerSecond));
  } finally {
    clearInterval(watch);
    load.close();
  }
  return load.report();
}

class Load {
  readonly #plan: LoadPlan;
  readonly #connections: readonly Connection[];
  readonly #tally = new Tally();
  readonly #start = performance.now();
  readonly #measuredFrom: number;
  readonly #end: number;
  readonly #counts = { sent: 0, lost: 0, short: 0, hung: 0, left: 0, wrong: 0, unsent: 0 };
  #firstWrong: string | null = null;
  #cpu = process.cpuUsage();
  #lastAnswer = this.#start;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#connections = Array.from({ length: plan.connections }, () => new Connection(plan.port));
    const warmUpMs = 1000 * (plan.warmUpSeconds ?? 0);
    this.#measuredFrom = this.#start + warmUpMs;
    this.#end = 'seconds' in plan.end ? this.#measuredFrom + 1000 * plan.end.seconds : Infinity;
    if (warmUpMs > 0) setTimeout(() => (this.#cpu = process.cpuUsage()), warmUpMs);
  }

  /** Each connection sends its next request when it has been answered. */
  async closedLoop(): Promise<void> {
    const limit = 'count' in this.#plan.end ? this.#plan.end.count : Infinity;
    const isOver = () => this.#counts.sent >= limit || performance.now() >= this.#end;
    await Promise.all(
      this.#connections.map(
        (connection) =>
          new Promise<void>((resolve) => {
            const next = () => (isOver() ? resolve() : this.#send(connection, performance.now(), next));
            next();
          }),
      ),
    );
  }

  /** Request n is due n / rate after the start, whatever became of those before; it takes the first free connection. */
  async openLoop(ratePerSecond: number): Promise<void> {
    const dueAt = (index: number) => this.#start + (1000 * index) / ratePerSecond;
    const count = 'count' in this.#plan.end ? this.#plan.end.count : Infinity;
    const free = [...this.#connections]; // the one used last is taken first, so that the others stay closed
    let taken = 0;
    let isOver = false; // what is still due then stays unsent
    const isDue = (index: number) => index < count && dueAt(index) < this.#end;
    const sendDue = () => {
      while (!isOver && isDue(taken) && dueAt(taken) <= performance.now()) {
        const connection = free.pop();
        if (connection === undefined) return;
        this.#send(connection, dueAt(taken++), () => {
          free.push(connection);
          sendDue();
        });
      }
    };
    while (isDue(taken) && performance.now() < this.#end) {
      await pause(1);
      sendDue();
    }
    isOver = true;
    for (let index = taken; isDue(index); index++) this.#counts.unsent++;
    while (free.length < this.#connections.length) await pause(1);
  }

  expire(): void {
    for (const connection of this.#connections) connection.expire(this.#plan.hungAfterMs ?? HUNG_AFTER_MS);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  report(): LoadReport {
    const { user, system } = process.cpuUsage(this.#cpu);
    const seconds = (this.#lastAnswer - this.#measuredFrom) / 1000;
    const byStatus = this.#tally.byStatus();
    return { ...this.#counts, byStatus, firstWrong: this.#firstWrong, seconds, cpuSeconds: (user + system) / 1e6 };
  }

  #send(connection: Connection, due: number, settled: () => void): void {
    const { requests } = this.#plan;
    const request = requests[this.#counts.sent++ % requests.length];
    if (request === undefined) throw new RangeError('A plan without requests.');
    const sent = performance.now();
    const settle = (outcome: Outcome) => {
      this.#note(request, outcome, due, sent);
      settled();
    };
    connection.request(request.bytes, settle, request.leaveAfterMs);
  }

  #note({ expected }: PreparedRequest, outcome: Outcome, due: number, sent: number): void {
    if (typeof outcome === 'string') {
      this.#counts[outcome]++;
      return;
    }
    const now = performance.now();
    // By when it was answered: under overload what is sent was due long before, and would all count as warming up.
    if (now >= this.#measuredFrom) {
      this.#tally.add(outcome, now - due, now - sent);
      this.#lastAnswer = now;
    }
    const fault = expected === undefined ? null : faultOf(outcome, expected);
    if (fault === null) return;
    this.#counts.wrong++;
    this.#firstWrong ??= fault;
  }
}
