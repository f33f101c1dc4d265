import type { Check, Finding } from '@atelier/doctor';
import { messageOf } from '@atelier/domain';
import { refuseOpenAddress } from '@atelier/http';
import type { TrainerConfig } from '../config.ts';
import { BullmqQueue } from '../queue/bullmq-queue.ts';
import { parseRedisUrl } from '../queue/redis-address.ts';
import { OPEN_ADDRESS } from '../start.ts';

const group = 'trainer';

/** Whether the service would start where it is told to listen: on an address that others reach it wants a token. */
export function accessCheck({ host, token }: Pick<TrainerConfig, 'host' | 'token'>): Check {
  return { group, name: 'trainer-access', examine: () => examineAccess(host, token ?? null) };
}

function examineAccess(host: string, token: string | null): Finding {
  const facts = { host, token: token !== null };
  try {
    refuseOpenAddress(host, token, OPEN_ADDRESS);
  } catch (error) {
    const remedy = 'The service does not start like that. A token: openssl rand -hex 32.';
    return { status: 'fault', summary: sentence(messageOf(error)), remedy, facts };
  }
  const summary = token === null ? 'this machine alone, without a token' : 'whoever brings the token';
  return { status: 'ok', summary, facts };
}

/** The queue that services and workers share, where one is named: whether Redis answers, and whether anybody works. */
export function queueChecks({ queueUrl, queuePrefix }: Pick<TrainerConfig, 'queueUrl' | 'queuePrefix'>): Check[] {
  if (queueUrl === undefined) return [];
  return [{ group, name: 'queue', examine: () => examineQueue(queueUrl, queuePrefix) }];
}

async function examineQueue(url: string, prefix: string): Promise<Finding> {
  const { name } = parseRedisUrl(url); // all of it that may be shown
  const queue = new BullmqQueue(url, { prefix });
  try {
    const [waiting, { length: workers }] = [await queue.length(), await queue.directory.workers()];
    const facts = { reachable: true, waiting, workers };
    const summary = `Redis at ${name}; runs that wait: ${waiting}, workers: ${workers}`;
    if (workers > 0) return { status: 'ok', summary, facts };
    const remedy =
      'Start a worker with the same QUEUE_URL and folder of runs (npm run worker): the service trains nothing itself.';
    return { status: 'note', summary, remedy, facts };
  } catch (error) {
    const remedy =
      'Start Redis, or say in QUEUE_URL where it is and with which password; without QUEUE_URL runs are trained here.';
    const facts = { reachable: false, waiting: null, workers: null };
    return { status: 'fault', summary: sentence(messageOf(error)), remedy, facts };
  } finally {
    await queue.close().catch(() => undefined); // there is nothing in it to be lost
  }
}

function sentence(message: string): string {
  return message.replace(/\.$/, '');
}
