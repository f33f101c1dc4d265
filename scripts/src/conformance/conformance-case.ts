import type { Subject } from './subject.ts';

/** One thing that the Open Inference Protocol says, and how to see whether a server does it. */
export interface ConformanceCase {
  /** A sentence about the server. */
  name: string;
  /** Where the protocol, or the description of the extension, says so. */
  section: string;
  /** The extension that a server without it need not do this for, as `GET /v2` names it. */
  extension?: string;
  /** Rejects with what is wrong, or with `NotApplicable`. */
  run: (subject: Subject) => Promise<void>;
}

/** The server's model cannot show whether it does this. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

export interface CaseResult {
  name: string;
  section: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  reason?: string;
}
