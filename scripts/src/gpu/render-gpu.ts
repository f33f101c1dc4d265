import { machineInWords } from '../measurements/machine.ts';
import { markdownTable } from '../measurements/markdown-table.ts';
import type { GeneratedPage } from '../measurements/written-page.ts';
import { percent } from '../output.ts';
import { type GpuResults, type Outcome, TOLERANCE, verdictOf } from './gpu-results.ts';

/** docs/gpu.md: how to use a GPU, and what `npm run test:gpu` found on one; null where it has not met one. */
export function gpuPage(results: GpuResults | null): GeneratedPage {
  return { figures: results, charts: [], markdown: `${INTRODUCTION}\n${resultsPart(results)}` };
}

const INTRODUCTION = `<!-- Written by \`npm run test:gpu\`; do not edit it by hand. -->

# On a GPU

Two roads lead to a GPU, for the inference service by \`DEVICE\` and for training by \`--device\`:

- \`webgpu\`: onnxruntime-node brings its provider along; on Linux it needs the Vulkan loader (\`libvulkan1\`) and the Vulkan
  driver of the GPU, and no CUDA. For tfjs \`npm run setup:webgpu\` fetches what it needs.
- \`cuda\`: an NVIDIA GPU with CUDA 12 and cuDNN 9, after \`npm run setup:cuda\`. tfjs needs CUDA 11.2, cuDNN 8.1 and Node 20 or
  22, after \`npm run setup:tfjs-gpu\`.

\`npm run doctor -- --device webgpu\` (or \`cuda\`) says what is missing, and computes and trains on the device. A device that is
asked for is never replaced by another; \`DEVICE=auto\` takes CUDA where it is proved to work and else the processor, with the
reason in the log, in \`/readyz\` and in the metrics. In a container \`vulkaninfo\` and \`nvidia-smi\` must list the GPU:
\`--gpus all\` and \`NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics\`.

The products of matrices are computed in float32: on NVIDIA's newer GPUs CUDA would take TF32, of which 10 bits of the
mantissa remain, and a version would not give its golden answers. \`NVIDIA_TF32_OVERRIDE=0\` is set for the processes that
compute, unless that variable is set already.

## What was measured

\`npm run test:gpu\` needs an NVIDIA GPU; without one it says so and records nothing. It runs the published version and a training
of \`deep-bn\` on the processor, on WebGPU and on CUDA, each in a process of its own. A device passes when the 640
probabilities of 64 images, or the logits of the untrained network and the losses of the first five steps, differ by at
most ${TOLERANCE} from those of onnxruntime on the processor, and memory of the GPU was taken meanwhile, by nvidia-smi: a driver
that imitates a GPU takes none.
`;

function resultsPart(results: GpuResults | null): string {
  if (results === null) return 'Not run yet: no machine with an NVIDIA GPU has been at hand.\n';
  const { gpu, machine, epochs, writtenAt, outcomes } = results;
  const memory = gpu.memoryMiB === null ? '' : `, ${Math.round(gpu.memoryMiB / 1024)} GiB`;
  return `Measured on ${writtenAt.slice(0, 10)} on ${gpu.name}${memory}, driver ${gpu.driver}; ${machineInWords(machine)}.
Each training has ${epochs} epochs over 54,000 images; the first is left out of the speed.

${markdownTable(HEADER, outcomes.map(row))}
`;
}

const HEADER = ['', 'images/s', 'one at a time', 'accuracy', 'memory', "GPU's memory", 'largest difference', ''];

function row(outcome: Outcome): string[] {
  const { task, engine, device, measured, reason, gpuPeakBytes, largestDifference: difference } = outcome;
  const name = `${task}, ${engine} on ${device}`;
  if (measured === null) return [name, '', '', '', '', '', '', `cannot be used: ${escaped(reason ?? '')}`];
  const { imagesPerSecond, imagesPerSecondAlone, validationAccuracy, hostPeakBytes } = measured;
  return [
    name,
    count(imagesPerSecond),
    imagesPerSecondAlone === null ? '' : count(imagesPerSecondAlone),
    validationAccuracy === null ? '' : percent(validationAccuracy),
    megabytes(hostPeakBytes),
    gpuPeakBytes === null ? '' : megabytes(gpuPeakBytes),
    difference === null ? '' : difference.toExponential(1),
    verdictOf(outcome),
  ];
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
