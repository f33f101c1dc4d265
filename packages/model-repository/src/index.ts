export * from './golden.ts';
export * from './publish.ts';
export * from './repository.ts';
