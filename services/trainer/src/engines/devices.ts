/** What an engine can compute on. `cpu` is there everywhere; the others are used where they work. */
export const DEVICES = ['cpu', 'cuda', 'webgpu'] as const;
export type Device = (typeof DEVICES)[number];
