import type { DrawnChart, Tile } from '@atelier/reports';
import type { ModelFindings } from './inspect-model.ts';
import type { RunExport, RunRecord } from '../runs/run-record.ts';

/** Everything that stands in a report, drawn. */
export interface ReportContents {
  record: RunRecord;
  /** Null where no epoch was completed. */
  curves: Curves | null;
  samples: PictureSet;
  /** Null where the run has no model. */
  model: ModelContents | null;
}

export interface Curves {
  loss: DrawnChart;
  accuracy: DrawnChart;
  learningRate: DrawnChart;
}

export interface ModelContents {
  manifest: RunExport['manifest'];
  findings: ModelFindings;
  confusionMatrix: DrawnChart;
  calibration: DrawnChart;
  correct: PictureSet;
  mistakes: PictureSet;
  firstLayer: PictureSet;
  activations: PictureSet;
}

/** Pictures that belong together, and how they stand in their PNG file. */
export interface PictureSet {
  /** Names the file. */
  name: string;
  tiles: readonly Tile[];
  columns: number;
  /** Units of the file's picture. */
  tileWidth: number;
}
