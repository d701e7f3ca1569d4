/** `npm run demo`: every task from generated pictures to drawn predictions. */
import { runProgram } from '@pyramidal/program';
import { classification } from './classification';
import { detection } from './detection';
import { type Demo, runDemo } from './run-demo';
import { segmentation } from './segmentation';

/** Every demo by the name that this program takes; detection where none is given. */
const DEMOS: Readonly<Record<string, Demo>> = { classification, detection, segmentation };

async function main(name = 'detection'): Promise<number> {
  const demo = DEMOS[name];
  if (demo === undefined) {
    console.error(`demo: expected one of ${Object.keys(DEMOS).join(', ')}, received ${name}`);
    return 2;
  }
  return runDemo(demo);
}

runProgram('demo', ([name]) => main(name));
