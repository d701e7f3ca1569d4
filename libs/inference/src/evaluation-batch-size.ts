/** How many images an evaluation takes at a time, where nobody says otherwise. */
import type { SharedConfig } from '@pyramidal/config';

/** Images at a time in evaluation; one where training alone would tell, and does not. */
export const evaluationBatchSize = ({ train, evaluation }: Pick<SharedConfig, 'train' | 'evaluation'>): number =>
  evaluation.batchSize ?? (train.batchSize === 'auto' ? 1 : train.batchSize);
