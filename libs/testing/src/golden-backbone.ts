/** The files of reference numbers of a backbone. */
import { readFileSync } from 'node:fs';

/** Statistics of one feature map or gradient of the reference, NCHW row-major. */
export interface GoldenMap {
  readonly shape: readonly number[];
  readonly samples_f64: readonly number[];
  readonly f32_f64_max_abs_diff: number;
  readonly max_abs: number;
}

export interface GoldenCase {
  readonly input: readonly number[];
  readonly stages: readonly GoldenMap[];
  readonly logits: {
    readonly argmax: readonly number[];
    readonly first_f64: readonly number[];
    readonly f32_f64_max_abs_diff: number;
  };
}

export interface GoldenGradients {
  readonly input: readonly number[];
  readonly loss_f64: number;
  readonly parameters: Readonly<Record<string, GoldenMap>>;
  readonly input_gradient: GoldenMap;
}

/** Reference numbers of one official variant. */
export interface GoldenBackbone {
  readonly config: { readonly num_classes: number };
  readonly parameters: { readonly classifier: number; readonly pyramid_only: number };
  readonly multiply_adds: { readonly conv: number; readonly linear: number; readonly attention_matmul: number };
  readonly tensors: readonly (readonly [string, readonly number[]])[];
  readonly aliases: Readonly<Record<string, string>>;
  readonly cases: readonly GoldenCase[];
  readonly cases_damped?: readonly GoldenCase[];
  readonly gradients?: GoldenGradients;
  readonly train_batch_norm?: GoldenGradients & {
    readonly stages: readonly GoldenMap[];
    readonly updated_batch_norm: readonly {
      readonly name: string;
      readonly running_mean: readonly number[];
      readonly running_var: readonly number[];
    }[];
  };
}

export function readGoldenBackbone(file: string): GoldenBackbone {
  return JSON.parse(readFileSync(file, 'utf8')) as GoldenBackbone;
}
