export * from './publish.ts';
export * from './repository.ts';
