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

main(process.argv[2]).then(
  (code) => (process.exitCode = code),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
