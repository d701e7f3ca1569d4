/** Small models of every family, for browser specs. */
import type { VariantName, VariantOverrides } from '@pyramidal/backbones';

/** A small model of each family, and of both kinds of CoaT. */
export const TOYS = {
  groupmixformer_miny: { channels: [20, 40, 80, 80], depths: [1, 1, 1, 1], mlpRatios: [4, 4, 4, 4] },
  coat_lite_tiny: { channels: [16, 32, 40, 64], depths: [1, 1, 1, 1], mlpRatios: [8, 8, 4, 4] },
  coat_tiny: { channels: [16, 32, 32, 32], depths: [1, 1, 1, 1], mlpRatios: [4, 4, 4, 4] },
  smt_tiny: { channels: [16, 32, 64, 128], depths: [1, 1, 2, 1], mlpRatios: [4, 4, 4, 2] },
  maformer_small: { channels: [32, 32, 64, 64], depths: [1, 1, 1, 1], mlpRatios: [4, 4, 4, 4] },
} as const satisfies Partial<Record<VariantName, VariantOverrides>>;

export type ToyName = keyof typeof TOYS;
