/**
 * `npm run gpu:check`: whether a graphics card computes what the processor does, and how fast.
 *   npm run gpu:check -- --json report.json
 *   npm run gpu:check -- --engine webgpu           any maker's card, or what imitates one, at toy sizes
 *   npm run gpu:check -- --stand-in cpu            the processor in the place of the card, at toy sizes
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runProgram } from '@pyramidal/program';
import { UsageError } from '../benchmark';
import { CARD_ENGINES, checkCard, whatIsMissing, type CheckedCard } from './check';
import { describeReport, isGood } from './report';

const USAGE = `[--engine ${CARD_ENGINES.join('|')}] [--stand-in cpu] [--json FILE]`;

async function main(argv: readonly string[]): Promise<number> {
  const { json, ...checked } = parse(argv);
  const missing = await whatIsMissing(checked);
  if (missing !== undefined) {
    console.error(`gpu:check: ${missing}`);
    return 1;
  }
  const python = process.env['PYRAMIDAL_PYTHON'];
  const report = await checkCard({ ...checked, python, log: (line) => console.error(line) });
  console.log(describeReport(report));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  return isGood(report) ? 0 : 1;
}

function parse(argv: readonly string[]): CheckedCard & { json: string | undefined } {
  const wrong = (what: string) => new UsageError(`gpu:check: expected ${USAGE}, received ${what}`);
  const values = (() => {
    try {
      const text = { type: 'string' } as const;
      return parseArgs({ args: [...argv], options: { engine: text, 'stand-in': text, json: text } }).values;
    } catch {
      throw wrong(argv.join(' ')); // whatever it is that was not understood
    }
  })();
  const { engine: name = 'tensorflow-gpu', 'stand-in': standIn, json } = values;
  const engine = CARD_ENGINES.find((known) => known === name);
  if (engine === undefined) throw wrong(`--engine ${name}`);
  if (standIn !== undefined && standIn !== 'cpu') throw wrong(`--stand-in ${standIn}`);
  if (standIn !== undefined && engine === 'webgpu') throw wrong('both --engine webgpu and --stand-in cpu');
  return { engine, standIn, json };
}

runProgram('gpu:check', main);
