import { z } from 'zod';

/** What a service can be asked to compute on; `auto` is the best that works. */
export const ASKED_DEVICES = ['auto', 'cpu', 'cuda', 'webgpu'] as const;
export const AskedDevice = z.enum(ASKED_DEVICES);
export type AskedDevice = z.infer<typeof AskedDevice>;

/** `note`: worth knowing, and nothing that was asked for fails by it. `fault`: something that was asked for cannot be used. */
export const Status = z.enum(['ok', 'note', 'fault']);
export type Status = z.infer<typeof Status>;

/** What programs read of a check; sizes are in bytes where the name says so. */
export const Facts = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]),
);
export type Facts = z.infer<typeof Facts>;

export const Finding = z.strictObject({
  status: Status,
  summary: z.string().min(1).describe('What was found, in a sentence without its end'),
  remedy: z.string().min(1).optional().describe('What to do about it; there for each fault'),
  facts: Facts.default({}),
});
export type Finding = z.input<typeof Finding>;

export const CheckResult = Finding.extend({
  group: z.string().describe('What the check is about: machine, gpu, inference, trainer'),
  name: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .describe('Stable: programs know a check by it'),
}).refine(({ status, remedy }) => status !== 'fault' || remedy !== undefined, 'a fault needs a remedy');
export type CheckResult = z.infer<typeof CheckResult>;

/** What `--json` prints. */
export const DoctorReport = z.strictObject({
  usable: z.boolean().describe('Whether everything that was asked for can be used: no check is a fault'),
  device: AskedDevice.describe('What was asked for'),
  checks: z.array(CheckResult),
});
export type DoctorReport = z.infer<typeof DoctorReport>;
