export { buildTrainerApp, findFault } from './app.ts';
export { readTrainerConfig, readWorkerConfig, TrainerConfig, WorkerConfig } from './config.ts';
export { trainerApi } from './contract/api.ts';
export { requestedRecipe } from './contract/requested-recipe.ts';
export { runsPage } from './contract/runs-page.ts';
export { NewRunBody, RunResource, RunsPage } from './contract/runs.ts';
export { CONVOLUTIONAL_TEACHER, trainTeacher, type TrainedTeacher } from './distillation/convolutional-teacher.ts';
export { readTeacher, TEACHERS_DIRECTORY } from './distillation/teacher-file.ts';
export { Teacher } from './distillation/teacher.ts';
export { CANDIDATES } from './engines/candidates.ts';
export { chooseEngine, type ChosenEngine, parseDeviceChoice, parseEngineChoice } from './engines/choose-engine.ts';
export { DEVICE_CHOICES, type DeviceChoice, ENGINE_CHOICES, type EngineChoice } from './engines/devices.ts';
export { createOnnxEngine } from './engines/onnx/engine.ts';
export { frozenNetwork } from './engines/onnx/frozen-network.ts';
export { proveDevice } from './engines/onnx/prove-device.ts';
export { EpochReport } from './epoch-report.ts';
export { evaluate, type Evaluation } from './evaluate.ts';
export { goldenImages } from './export/golden.ts';
export { OnnxModel } from './export/onnx-model.ts';
export { type EpochEnd, fit, type FitOptions, type FitResult, type Past, type Progress } from './fit.ts';
export { learningRates } from './learning-rate.ts';
export { initialState } from './network/initial-weights.ts';
export { layersModel, type TrainedLayersModel } from './network/layers-model.ts';
export { type NetworkRecipe, type NetworkTensor, networkTensors } from './network/parameters.ts';
export { performTask, type TaskObserver, type TrainingTask } from './process/task.ts';
export { trainInProcess } from './process/training-process.ts';
export { publishRun, type RunVersion } from './publish-run.ts';
export { findRecipe, RECIPES } from './recipes/index.ts';
export { chartSvg, standaloneSvg, type Chart } from './report/charts/chart.ts';
export { comparisonChart, type Compared, type ComparisonChart } from './report/charts/comparison.ts';
export { lineChart, type LineChart, type Series } from './report/charts/line-chart.ts';
export { pairChart, type PairChart } from './report/charts/pair.ts';
export { inspectModel, type ModelFindings } from './report/inspect-model.ts';
export { rasterise } from './report/pictures/rasterise.ts';
export { writeReport, type WrittenReport } from './report/write-report.ts';
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Origin } from './runs/checkpoint.ts';
export { RunLock } from './runs/run-lock.ts';
export { EventLog, RunEvent } from './runs/event-log.ts';
export { EventReader } from './runs/event-reader.ts';
export { requestCancel } from './runs/cancel-request.ts';
export { findRun, readRun, RunFolder } from './runs/run-folder.ts';
export { RUN_STATES, type RunState } from './runs/run-states.ts';
export { RunStore, type StoredRun } from './runs/run-store.ts';
export { readTestLooks, recordTestLook, TestLook } from './runs/test-looks.ts';
export { Run } from './runs/run.ts';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './runs/safetensors.ts';
export { type Started, startTrainer, startWorker } from './start.ts';
export { recoverRuns } from './supervision/recover-runs.ts';
export { MAXIMUM_RECOVERIES, settleRun } from './supervision/settle-run.ts';
export { type NewRun, Trainer, type TrainerOptions } from './supervision/trainer.ts';
export {
  resume,
  type ResumeRequest,
  train,
  type TrainingObserver,
  type TrainingRequest,
  type TrainingResult,
} from './train.ts';
export { trainingData } from './training-data.ts';
export type { EngineFactory, EngineState, TrainingEngine, TrainingExamples } from './training-engine.ts';
export { type TrainingData, trainingExamples } from './training-examples.ts';
export { BullmqQueue, type BullmqQueueOptions } from './queue/bullmq-queue.ts';
export { EmbeddedQueue } from './queue/embedded-queue.ts';
export type { Attend, Outcome, QueueWorker, RunQueue, RunQueueOptions } from './queue/run-queue.ts';
export { AnnouncedWorker, type Announcement, type WorkerDirectory } from './queue/worker-directory.ts';
