// The service, whose program comes as an argument, in two processes behind one port, as node:cluster hands connections out in turn.
import cluster from 'node:cluster';
import { once } from 'node:events';

const PROCESSES = 2;

cluster.setupPrimary({ exec: process.argv[2] });
const workers = Array.from({ length: PROCESSES }, () => cluster.fork());
const exits = workers.map(async (worker) => ((await once(worker, 'exit')) as [number | null])[0]);

const stop = () => workers.forEach((worker) => worker.process.kill('SIGTERM'));
process.on('SIGTERM', stop);
process.on('disconnect', stop);
process.exit((await Promise.all(exits)).every((code) => code === 0) ? 0 : 1);
