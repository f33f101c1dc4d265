// What whoever has just started both services wants to know; docker/compose.test.ts asks it after `up`.
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '@atelier/domain';
import { PredictResponse } from '@atelier/inference';
import { DevicesResponse } from '@atelier/trainer';
import { z } from 'zod';

export interface Deployment {
  /** Addresses, for example http://127.0.0.1:8080. */
  inference: string;
  trainer: string;
  /** The trainer's. */
  token: string;
}

/** What a request may take, in ms. */
const LIMIT_MS = 10_000;

/** What a worker that has just been started may take to look for its devices and to announce itself, in ms. */
const ANNOUNCED_MS = 30_000;

/** A garment of one grey, [28, 28]. */
const pixels = new Array<number>(784).fill(128);

/** Of the Open Inference Protocol, as far as it is looked at. */
const InferAnswer = z.object({ outputs: z.tuple([z.object({ data: z.array(z.number()).length(10) })]) });

/** By what they show; each rejects where it does not hold. */
const CHECKS: Record<string, (deployment: Deployment) => Promise<void>> = {
  'the probes of inference answer': async ({ inference }) => {
    for (const path of ['/healthz', '/startupz', '/readyz', '/v2/health/live', '/v2/health/ready']) {
      await ask(`${inference}${path}`);
    }
  },
  'a prediction has ten probabilities, which add up to 1': async ({ inference }) => {
    const { probabilities } = (await predict(inference)).prediction;
    const sum = probabilities.reduce((total, { probability }) => total + probability, 0);
    if (probabilities.length !== 10 || Math.abs(sum - 1) > 1e-4) {
      throw new Error(`${probabilities.length} came, of ${sum} together`);
    }
  },
  'the Open Inference Protocol gives the same class': async ({ inference }) => {
    const { model, prediction } = await predict(inference);
    const inputs = [{ name: 'image', shape: [1, 28, 28], datatype: 'UINT8', data: pixels }];
    const url = `${inference}/v2/models/${model.name}/versions/${model.version}/infer`;
    const text = await ask(url, { body: { inputs, outputs: [{ name: 'probabilities' }] } });
    const [{ data }] = InferAnswer.parse(JSON.parse(text)).outputs;
    const classIndex = data.indexOf(Math.max(...data));
    if (classIndex !== prediction.classIndex) {
      throw new Error(`class ${classIndex} came, by /predict ${prediction.classIndex}`);
    }
  },
  'the probes of the trainer answer without its token, all else does not': async ({ trainer, token }) => {
    for (const path of ['/healthz', '/readyz']) await ask(`${trainer}${path}`);
    await ask(`${trainer}/recipes`, { status: 401 });
    await ask(`${trainer}/recipes`, { token });
  },
  'somebody is there to train, on some device': async ({ trainer, token }) => {
    const deadline = Date.now() + ANNOUNCED_MS;
    for (;;) {
      const { machines } = DevicesResponse.parse(JSON.parse(await ask(`${trainer}/devices`, { token })));
      if (machines.some(({ devices }) => devices.length > 0)) return;
      if (Date.now() > deadline) throw new Error(`${machines.length} machines with no device came`);
      await setTimeout(500);
    }
  },
  'both say how full their queues are': async ({ inference, trainer, token }) => {
    const wanted = [
      { name: 'queue_ratio', text: await ask(`${inference}/metrics`) },
      { name: 'atelier_trainer_queue_length', text: await ask(`${trainer}/metrics`, { token }) },
    ];
    for (const { name, text } of wanted) {
      if (!new RegExp(`^${name} \\d`, 'm').test(text)) throw new Error(`no ${name} in the metrics`);
    }
  },
};

/** Rejects at the first thing that is not as it should be, with what it is; `report` is told what was found to hold. */
export async function smokeTest(deployment: Deployment, report: (line: string) => void): Promise<void> {
  for (const [title, check] of Object.entries(CHECKS)) {
    await check(deployment).catch((cause: unknown) => {
      throw new Error(`Not so: ${title}: ${messageOf(cause)}`, { cause });
    });
    report(title);
  }
}

async function predict(inference: string) {
  const { model, predictions } = PredictResponse.parse(
    JSON.parse(await ask(`${inference}/predict`, { body: { pixels: [pixels] } })),
  );
  const [prediction] = predictions;
  if (prediction === undefined) throw new Error('no prediction came');
  return { model, prediction };
}

interface Question {
  body?: object;
  token?: string;
  /** Default: 200. */
  status?: number;
}

/** The body of the answer; rejects where the status is another. */
async function ask(url: string, { body, token, status = 200 }: Question = {}): Promise<string> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${url} answered ${response.status}, expected ${status}: ${text}`);
  return text;
}
