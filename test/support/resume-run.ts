import { resume, type ResumeRequest, RunFolder, type TrainingObserver, type TrainingResult } from '@atelier/trainer';

/** Goes on with the run in a folder, and gives the folder back however that ends. */
export async function resumeRun(
  directory: string,
  request: Omit<ResumeRequest, 'folder'>,
  observer: TrainingObserver = {},
): Promise<TrainingResult> {
  const folder = await RunFolder.open(directory);
  try {
    return await resume({ folder, ...request }, observer);
  } finally {
    await folder.release();
  }
}
