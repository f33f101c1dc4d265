/** What is measured under 64 connections and then under one. */
export const LOADED = {
  'constant-server': 'node:http, constant answers',
  png: '`POST /predict`, PNG of 28×28',
  pixels: '`POST /predict`, `pixels`',
  tensors: 'Open Inference Protocol, binary tensors',
  'two-processes-png': 'two processes, PNG of 28×28',
  'two-processes-pixels': 'two processes, `pixels`',
  'hand-written-pixels': 'hand-written, `pixels`',
  'hand-written-pixels-one-thread': 'hand-written, `pixels`, one intra-op thread',
  'hand-written-binary': 'hand-written, bytes',
  'hand-written-binary-one-thread': 'hand-written, bytes, one intra-op thread',
} as const;
export type LoadedName = keyof typeof LOADED;

export const DECODING_LOOP = 'decoding-loop';
export const START = 'start';

export const VARIANT_NAMES = [DECODING_LOOP, START, ...(Object.keys(LOADED) as LoadedName[])] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

/** Many connections, as the issue of throughput has them. */
export const CONNECTIONS = 64;
