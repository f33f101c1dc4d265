import type { Check } from '../check.ts';
import { libraryPlaces } from '../library-search.ts';
import { cudaCheck, ONNXRUNTIME_CUDA } from './cuda.ts';
import { driverCheck } from './driver.ts';
import { libcCheck } from './libc.ts';
import { coresCheck, memoryCheck } from './limits.ts';
import { nodeCheck } from './node.ts';
import { onnxruntimeCheck } from './onnxruntime.ts';
import { vulkanCheck } from './vulkan.ts';

export interface MachineNeeds {
  environment: Readonly<Record<string, string | undefined>>;
  /** Gives the URL of onnxruntime's module. */
  locateRuntime: () => string;
}

/** What every service asks of the machine, its quick answers first. */
export function machineChecks({ environment, locateRuntime }: MachineNeeds): Check[] {
  const places = libraryPlaces(environment);
  return [
    nodeCheck(),
    libcCheck(),
    coresCheck(),
    memoryCheck(),
    onnxruntimeCheck(locateRuntime),
    driverCheck(places),
    cudaCheck('gpu', 'cuda-for-onnxruntime', ONNXRUNTIME_CUDA, places),
    vulkanCheck(places, environment),
  ];
}
