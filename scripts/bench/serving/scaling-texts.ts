import type { Work } from './scaling-page.ts';

/** What the figures of `docs/scaling.md` mean. */
export const scalingTexts = {
  saturation: `Where it saturates: pictures on the threads that decode them, of which there is one for each core (\`INFERENCE_DECODERS\`);
single images as numbers on the one thread that takes requests, parses and writes, while the engine fills its batches from what
has come meanwhile; batches of 64 on the engines (\`INFERENCE_WORKERS\`). The model is the smallest part of all but the last.`,

  replicas: `A second process on the same cores adds what the first left idle while its thread of requests was busy, and no more: a process
uses more than one core already. On cores of their own replicas share nothing but the folder of models, which is read when a
version is loaded, so that a row below is a multiple of the one above it. Two cores for each replica are a good size: below, the
thread of requests and the decoders take turns; above, that thread is the limit. \`docker/kubernetes\` grows by CPU and by the queue ratio, which is how near a service is to refusing:
what waits against \`INFERENCE_MAX_QUEUE\`, or the wait that is expected against \`INFERENCE_MAX_WAIT_MS\`, whichever is nearer.`,

  /** By the cheapest and the dearest of `works`. */
  breaks(works: readonly Work[]): string {
    const rates = new Map(works.map(({ name, coreSeconds }) => [name, 1 / coreSeconds]));
    const rate = (name: string) => Math.round(rates.get(name) ?? NaN).toLocaleString('en');
    return `- **10 a second and core**: nothing. What an answer takes is what it takes alone, and memory costs more than cores. What breaks first is
  the one process there is: run two, so that a restart is not an outage.
- **100 a second and core**: photographs. A core decodes ${rate('JPEG of 1024×768')} JPEG of 1024×768 a second; what comes above waits until \`INFERENCE_MAX_QUEUE\`
  or \`INFERENCE_MAX_WAIT_MS\` turns it away. Clients that scale their pictures to 256 pixels before they send them, which loses next to nothing
  here, save most of it. Numbers and small PNG files are far from their limit.
- **10,000 a second and core**: HTTP. A core takes ${rate('one image as `pixels`')} requests with one image as \`pixels\`, whatever the model; a request
  with 64 images carries ${(64 * Math.round(rates.get('64 images as a binary tensor') ?? NaN)).toLocaleString('en')} images a second over the same core. Ask for many images at a time, in binary
  tensors, over few connections that stay open (or gRPC); then the engine is the limit, and a GPU begins to be worth its price.
  Before the services do, the balancer, its ports and the connections' tracking in the kernel break.`;
  },

  engines: `- **Serving**: Kubernetes with the manifests of \`docker/kubernetes\`, or KServe by its \`InferenceService\`: both protocols are the same
  on one process and on a hundred, and no request knows of another.
- **Training and search**: a run is a process, and with \`QUEUE_URL=redis://...\` runs go to workers on any machine that shares the folder
  of runs (BullMQ). One training is never spread over machines: an epoch of the largest recipe takes seconds.
- **Evaluation**: one at a time in each service, behind its requests; a larger set goes to a replica of its own, or is measured by
  \`npm run evaluate\` where it lies.`,
} as const;
