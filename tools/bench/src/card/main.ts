/**
 * `npm run gpu:check`: whether a graphics card computes what the processor does, and how fast.
 *   npm run gpu:check -- --json report.json
 *   npm run gpu:check -- --stand-in cpu            the processor in the place of the card, at toy sizes
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runProgram } from '@pyramidal/program';
import { UsageError } from '../benchmark';
import { checkCard, whatIsMissing } from './check';
import { describeReport, isGood } from './report';

const USAGE = '[--stand-in cpu] [--json FILE]';

async function main(argv: readonly string[]): Promise<number> {
  const { standIn, json } = parse(argv);
  const missing = await whatIsMissing({ standIn });
  if (missing !== undefined) {
    console.error(`gpu:check: ${missing}`);
    return 1;
  }
  const python = process.env['PYRAMIDAL_PYTHON'];
  const report = await checkCard({ standIn, python, log: (line) => console.error(line) });
  console.log(describeReport(report));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  return isGood(report) ? 0 : 1;
}

function parse(argv: readonly string[]): { standIn: 'cpu' | undefined; json: string | undefined } {
  const wrong = (what: string) => new UsageError(`gpu:check: expected ${USAGE}, received ${what}`);
  const values = (() => {
    try {
      return parseArgs({ args: [...argv], options: { 'stand-in': { type: 'string' }, json: { type: 'string' } } })
        .values;
    } catch {
      throw wrong(argv.join(' ')); // whatever it is that was not understood
    }
  })();
  const standIn = values['stand-in'];
  if (standIn !== undefined && standIn !== 'cpu') throw wrong(`--stand-in ${standIn}`);
  return { standIn, json: values.json };
}

runProgram('gpu:check', main);
