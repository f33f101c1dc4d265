// Runs one plan in a process of its own, so that what the load costs can be told from what the server costs.
import { once } from 'node:events';
import type { LoadPlan } from './load-plan.ts';
import { runLoad } from './run-load.ts';

const [plan] = (await once(process, 'message')) as [LoadPlan];
// Buffers come over the channel as plain bytes.
const requests = plan.requests.map((request) => ({ ...request, bytes: Buffer.from(request.bytes) }));
process.send?.(await runLoad({ ...plan, requests }), () => process.exit(0));
