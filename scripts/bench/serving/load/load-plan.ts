/** A request as bytes, and how its answer is recognised. */
export interface PreparedRequest {
  bytes: Buffer;
  /** Checked only where it is given; any other status, or 200 with other probabilities, counts as `wrong`. */
  expected?: { statuses: readonly number[]; answer?: ExpectedAnswer };
  /** Go away so long after sending it. */
  leaveAfterMs?: number;
}

/** Where in a body the probabilities [10], of a tensor [images · 10], stand, and which they must be within `tolerance`. */
export interface ExpectedAnswer {
  form: 'predictions' | 'tensor';
  probabilities: readonly number[];
  tolerance: number;
}

export interface LoadPlan {
  port: number;
  /** Sent in turn, from the first again after the last. */
  requests: readonly PreparedRequest[];
  connections: number;
  /**
   * Requests a second, sent whether or not those before are answered (open loop); each waits for a free connection, and
   * its latency counts from when it was due. Default: each connection sends when it has been answered (closed loop).
   */
  ratePerSecond?: number;
  end: { seconds: number } | { count: number };
  /** What is answered in the first so many seconds does not count. Default: 0. */
  warmUpSeconds?: number;
  /** Without an answer for so long a request has hung. Default: 30 s. */
  hungAfterMs?: number;
}

/** Milliseconds. */
export interface Latencies {
  median: number;
  percentile90: number;
  percentile99: number;
  longest: number;
}

export interface StatusReport {
  count: number;
  /** From when the request was due; in a closed loop, from when it was sent. */
  latency: Latencies;
  /** From when it was sent: what is shorter here than above, the client's own waiting was. */
  sinceSent: Latencies;
  withoutRetryAfter: number;
}

export interface LoadReport {
  /** Of what counts, by status. */
  byStatus: Record<number, StatusReport>;
  /** Everything that was sent, before the measuring as well; the outcomes below are of all of it, too. */
  sent: number;
  lost: number;
  short: number;
  hung: number;
  left: number;
  wrong: number;
  /** What was wrong first, in words. */
  firstWrong: string | null;
  /** Of an open loop: due, and never sent, because no connection became free in time. */
  unsent: number;
  /** The measuring, from its start to the last answer. */
  seconds: number;
  /** This process' own, user and system, while it measured. */
  cpuSeconds: number;
}
