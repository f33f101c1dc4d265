import { DomainError } from '@atelier/domain';
import type { Dataset } from '@atelier/fashion-mnist';
import { confusionMatrixChart, drawn, reliabilityChart, wholeNumber } from '@atelier/reports';
import { accuracyChart, learningRateChart, lossChart } from './charts/learning-curves.ts';
import type { Curves, ModelContents, ReportContents } from './contents.ts';
import { inspectModel } from './inspect-model.ts';
import {
  activationPictures,
  correctPictures,
  firstLayerPictures,
  mistakePictures,
  samplePictures,
} from './picture-sets.ts';
import type { RunExport, RunRecord } from '../runs/run-record.ts';
import { trainingSamples } from './samples.ts';

/**
 * Draws all charts and pictures of a run. The images come from `dataset`; one of another digest than the run was trained
 * on is
 * `dataset-mismatch`.
 */
export async function drawReport(record: RunRecord, dataset: Dataset): Promise<ReportContents> {
  const { run, exported } = record;
  if (dataset.digest !== run.data.digest) {
    throw new DomainError(
      'dataset-mismatch',
      `The data set here is ${dataset.digest}; the run was trained on ${run.data.digest}.`,
    );
  }
  return {
    record,
    curves: await drawCurves(record),
    samples: samplePictures(trainingSamples(dataset, run)),
    model: exported === null ? null : await drawModel(exported, dataset),
  };
}

async function drawCurves({ history, exported }: RunRecord): Promise<Curves | null> {
  if (history.length === 0) return null;
  const manifest = exported?.manifest;
  const result = manifest === undefined ? null : { ...manifest.training, metrics: manifest.metrics };
  return {
    loss: await drawn(lossChart(history, result)),
    accuracy: await drawn(accuracyChart(history, result)),
    learningRate: await drawn(learningRateChart(history)),
  };
}

async function drawModel({ manifest, model }: RunExport, { test }: Dataset): Promise<ModelContents> {
  const findings = await inspectModel(model, test);
  return {
    manifest,
    findings,
    confusionMatrix: await drawn(
      confusionMatrixChart(manifest.metrics.test, `${wholeNumber(manifest.metrics.test.count)} test images`),
    ),
    calibration: await drawn(reliabilityChart(findings.calibration, manifest.metrics.test.calibrationError)),
    correct: correctPictures(findings.correct),
    mistakes: mistakePictures(findings.mistakes),
    firstLayer: firstLayerPictures(findings.firstLayer),
    activations: activationPictures(findings.activations),
  };
}
