/** What the launcher says of wrong usage: one short line that a terminal may show. */
import { run } from './run';

let told: string;
beforeEach(() => {
  told = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told += String(text);
    return true;
  });
});
afterEach(() => jest.restoreAllMocks());

it.each([
  [[], "required option '--workers <count>' not specified"],
  [['--workers', '2'], "missing required argument 'command'"],
  [['--workers', '0', '--', 'true'], "received '0'"],
  [['--workers', '1025', '--', 'true'], 'expected a whole number from 1 to 1024'],
  [['--workers', '\u001b[2J', '--', 'true'], "received '\\u001b[2J'"],
  [['--workers', '9'.repeat(5000), '--', 'true'], '...'],
  [['--workers', '1', '--timeout', '99999999999', '--', 'true'], 'expected a whole number from 1 to 2000000'],
  [['--workers', '1', '--max-restarts', '-1', '--', 'true'], 'expected a whole number from 0 to 1000000'],
  [['--workers', '1', '--', ''], "expected the name of a program, received ''"],
  [['--workers', '1', '--\u001b[2J', '--', 'true'], "unknown option '--\\u001b[2J'"],
])('refuses %j', async (args, expected) => {
  expect(await run(args)).toBe(2);
  expect(told).toContain(expected);
  expect(told).toMatch(/^pyramidal-launch: [\x20-\x7e]{1,1100}\n$/);
});

it('says which program cannot be started, and ends with the code of shells', async () => {
  expect(await run(['--workers', '1', '--', '\u001b[2Jx'])).toBe(127);
  expect(told).toBe('[0] \\u001b[2Jx: cannot be started: no such program\nworker 0 ended with exit code 127\n');
});
