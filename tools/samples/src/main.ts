/** `npm run samples -- SET OUT`: renders sample datasets. */
import { type ExitCode, printable, runProgram } from '@pyramidal/program';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { makeClassificationSet } from './classification';
import { makeDetectionSet } from './detection';
import { makeSegmentationSet } from './segmentation';

const SETS = {
  classification: {
    description: 'an ImageFolder set of textured shapes',
    make: makeClassificationSet,
    defaults: { train: 600, val: 200, size: 96 },
  },
  detection: {
    description: "a set of textured shapes that hide each other, in COCO's format",
    make: makeDetectionSet,
    defaults: { train: 600, val: 100, size: 128 },
  },
  segmentation: {
    description: "a set of textured shapes in ADE20K's layout",
    make: makeSegmentationSet,
    defaults: { train: 600, val: 100, size: 96 },
  },
} as const;

/** What is given on the command line. */
interface Given {
  readonly seed: number;
  readonly train: number;
  readonly val: number;
  readonly size: number;
  readonly kinds?: readonly string[];
}

const program = new Command('samples').description('Renders sample datasets, each only once');

for (const [name, { description, make, defaults }] of Object.entries(SETS)) {
  const command = program
    .command(name)
    .description(description)
    .argument('<out>', 'folder of the set')
    .option('--seed <n>', 'random seed', wholeNumber, 0)
    .option('--train <n>', 'training images', wholeNumber, defaults.train)
    .option('--val <n>', 'validation images', wholeNumber, defaults.val)
    .option('--size <n>', 'side of the images in pixels', wholeNumber, defaults.size)
    .action(async (out: string, { seed, train, val, size, kinds }: Given) => {
      const rendered = await make(out, { seed, train, val, size, ...(kinds && { kinds }) });
      console.log(rendered ? `${out}: rendered ${train} + ${val} images` : `${out}: already there`);
    });
  if (name === 'detection')
    command.option('--kinds <names>', 'kinds of shapes, such as dotted-circle,checked-star', (names) =>
      names.split(','),
    );
}

for (const command of [program, ...program.commands]) {
  command.exitOverride().configureOutput({ outputError: () => undefined });
}

async function main(args: readonly string[]): Promise<ExitCode> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    process.stderr.write(`samples: ${printable(error.message.replace(/\s*\n\s*/g, ' '))}\n`);
    return 2;
  }
}

runProgram('samples', main);

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError(`expected a whole number, received '${text}'`);
  return value;
}
