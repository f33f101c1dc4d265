import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IVolume } from 'kubernetes-models/v1/Volume';

/**
 * The fields of KServe's kinds that we use, as its sources have them: no package has their schemas.
 * https://github.com/kserve/kserve/blob/master/pkg/apis/serving/v1alpha1/servingruntime_types.go
 */
export interface ServingRuntime {
  apiVersion: 'serving.kserve.io/v1alpha1';
  kind: 'ServingRuntime';
  metadata: { name: string };
  spec: {
    annotations?: Record<string, string>;
    supportedModelFormats: { name: string; version?: string; autoSelect?: boolean }[];
    protocolVersions: ('v1' | 'v2' | 'grpc-v1' | 'grpc-v2')[];
    containers: IContainer[];
    volumes?: IVolume[];
  };
}

/** https://github.com/kserve/kserve/blob/master/pkg/apis/serving/v1beta1/{component,predictor_model}.go */
export interface InferenceService {
  apiVersion: 'serving.kserve.io/v1beta1';
  kind: 'InferenceService';
  metadata: { name: string };
  spec: {
    predictor: {
      minReplicas?: number;
      maxReplicas?: number;
      scaleTarget?: number;
      scaleMetric?: 'cpu' | 'memory' | 'concurrency' | 'rps';
      model: {
        modelFormat: { name: string; version?: string };
        runtime?: string;
        protocolVersion?: 'v1' | 'v2' | 'grpc-v1' | 'grpc-v2';
      };
    };
  };
}
