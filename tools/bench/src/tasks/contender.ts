/** Our contender of the benchmark of whole tasks, `contender.ts CASE WEIGHTS`, the case in JSON; see `answer-rounds.ts` for the protocol. */
import { answerRounds } from '../answer-rounds';
import type { TaskCase } from '../tasks';
import { startTask } from './start-task';

async function main([which, weights]: string[]): Promise<void> {
  await answerRounds(await startTask(JSON.parse(which as string) as TaskCase, weights as string));
  process.exit();
}

void main(process.argv.slice(2));
