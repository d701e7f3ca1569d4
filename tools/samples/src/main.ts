import { Command, InvalidArgumentError } from 'commander';
import { makeClassificationSet } from './classification';
import { makeSegmentationSet } from './segmentation';

const program = new Command('samples').description('Renders sample datasets, each only once');

program
  .command('classification')
  .description('an ImageFolder set of textured shapes')
  .argument('<out>', 'folder of the set')
  .option('--seed <n>', 'random seed', wholeNumber, 0)
  .option('--train <n>', 'training images', wholeNumber, 600)
  .option('--val <n>', 'validation images', wholeNumber, 200)
  .option('--size <n>', 'side of the images in pixels', wholeNumber, 96)
  .action(async (out: string, { seed, train, val, size }) => {
    const rendered = await makeClassificationSet(out, { seed, train, val, size });
    console.log(rendered ? `${out}: rendered ${train} + ${val} images` : `${out}: already there`);
  });

program
  .command('segmentation')
  .description("a set of textured shapes in ADE20K's layout")
  .argument('<out>', 'folder of the set')
  .option('--seed <n>', 'random seed', wholeNumber, 0)
  .option('--train <n>', 'training images', wholeNumber, 600)
  .option('--val <n>', 'validation images', wholeNumber, 100)
  .option('--size <n>', 'side of the images in pixels', wholeNumber, 96)
  .action(async (out: string, { seed, train, val, size }) => {
    const rendered = await makeSegmentationSet(out, { seed, train, val, size });
    console.log(rendered ? `${out}: rendered ${train} + ${val} images` : `${out}: already there`);
  });

program.parseAsync().catch((error: Error) => {
  console.error(`samples: ${error.message}`);
  process.exitCode = 1;
});

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError(`expected a whole number, received '${text}'`);
  return value;
}
