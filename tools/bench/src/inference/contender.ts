/** Our contender of the inference benchmark, `contender.ts NETWORK BATCH`; see `answer-rounds.ts` for the protocol. */
import { compile } from '@pyramidal/graph';
import * as tf from '@tensorflow/tfjs-core';
import { answerRounds } from '../answer-rounds';
import { openNetwork } from './network';

async function main([name, batch]: string[]): Promise<void> {
  const { forward, images } = await openNetwork(name as string, Number(batch));
  const predict = compile(forward, { name: 'forward' });
  await answerRounds(() => {
    const outputs = predict({ images });
    outputs.logits.dataSync();
    tf.dispose({ ...outputs });
  });
}

void main(process.argv.slice(2));
