import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  COMPILER,
  fakeMachine,
  type FakeMachine,
  makeWheel,
  pipReport,
  pythonScript,
  sha256,
  wheelFiles,
} from '@pyramidal/testing/machine';
import { type FileServer, serveFiles } from '../../test-support/file-server';
import { cacheFolder } from './cache-folder';
import { installNative } from './install-native';
import { type Installation, readInstallation, recordFile } from './installation';

const WHEEL = makeWheel();
const WHEEL_PATH = '/packages/tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl';

let machine: FakeMachine;
beforeEach(() => (machine = fakeMachine()));
afterEach(() => machine.remove());

const messageOf = async (options: Parameters<typeof installNative>[0] = {}): Promise<string> => {
  const error: Error = await installNative({ env: machine.env, ...options }).then(
    () => new Error('it was installed'),
    (caught: Error) => caught,
  );
  expect(error.name).toBe('RuntimeError');
  expect(error.message).not.toContain('\n');
  return error.message;
};

/** How the last route ends: no network, or nothing published for this platform. */
const NO_DOWNLOAD =
  /; (download of libtensorflow-cpu-\S+ from 127.0.0.1:2 failed: .*ECONNREFUSED|there is no official)/;

describe('installNative names what is missing', () => {
  it('a compiler', async () => {
    const message = await messageOf();
    expect(message).toMatch(
      /^no C\+\+ compiler found \(looked for g\+\+, c\+\+, clang\+\+\); install one, for example/,
    );
    expect(message).toMatch(NO_DOWNLOAD);
  });

  it('Python', async () => {
    machine.program('g++', COMPILER);
    const message = await messageOf();
    expect(message).toMatch(/^no Python 3 found to fetch the TensorFlow wheel with; install python3 and python3-pip;/);
    expect(message).toMatch(NO_DOWNLOAD);
  });

  it('pip', async () => {
    machine.program('g++', COMPILER);
    machine.program('python3', pythonScript('none'));
    expect(await messageOf()).toMatch(
      /^python3 \(Python 3.12.1\) has no pip; install python3-pip or run `python3 -m ens/,
    );
  });

  it('the network', async () => {
    machine.program('g++', COMPILER);
    machine.program('python3', pythonScript({ complaint: 'NewConnectionError: [Errno 101] Network is unreachable' }));
    expect(await messageOf()).toMatch(
      /^pip cannot reach its package index for tensorflow(-cpu)?==2.21.0; check the network or the proxy;/,
    );
  });

  it('a wheel for this machine', async () => {
    machine.program('g++', COMPILER);
    machine.program('python3', pythonScript({ complaint: 'ERROR: No matching distribution found for tensorflow' }));
    expect(await messageOf({ tensorflow: '1.0.0' })).toMatch(
      /^pip found no wheel of tensorflow(-cpu)?==1.0.0: No matching distribution found for tensorflow;/,
    );
  });

  it('a folder that can be written to', async () => {
    const file = join(machine.root, 'file');
    writeFileSync(file, '');
    const env = { ...machine.env, PYRAMIDAL_CACHE: join(file, 'cache') };
    expect(await messageOf({ env })).toBe(
      `cannot write to the cache folder ${join(file, 'cache')} (ENOTDIR); set PYRAMIDAL_CACHE to another`,
    );
  });
});

describe('installNative with a path', () => {
  beforeEach(() => machine.program('g++', COMPILER));

  it('refuses one that is not there, or of something else', async () => {
    const missing = join(machine.root, 'none');
    expect(await messageOf({ library: missing })).toBe(`library: ${missing} does not exist`);
    const file = join(machine.root, 'x.txt');
    writeFileSync(file, '');
    expect(await messageOf({ library: file })).toBe(`library: expected a folder or a .whl file, received ${file}`);
    expect(await messageOf({ library: machine.root })).toMatch(/^library: expected libtensorflow_cc or libtensorflow/);
  });

  it('takes it from PYRAMIDAL_TENSORFLOW', async () => {
    const env = { ...machine.env, PYRAMIDAL_TENSORFLOW: '/none' };
    expect(await messageOf({ env })).toBe('library: /none does not exist');
  });

  it('refuses a truncated wheel and leaves nothing of it', async () => {
    const library = join(machine.root, 'tensorflow.whl');
    writeFileSync(library, WHEEL.subarray(0, 1000));
    expect(await messageOf({ library })).toMatch(/^tensorflow.whl cannot be used: /);
    expect(readdirSync(join(machine.cache, 'libraries'))).toEqual([]);
  });

  it('refuses a name that would lead out of the store, and touches nothing', async () => {
    const thesis = join(machine.cache, 'thesis.pdf');
    mkdirSync(machine.cache);
    writeFileSync(thesis, 'mine');
    const library = join(machine.root, '...whl');
    writeFileSync(library, WHEEL);
    expect(await messageOf({ library })).toBe(`library: expected a wheel's own file name, received ${library}`);
    expect(readFileSync(thesis, 'utf8')).toBe('mine');
  });

  it('says that the disk is full where the compiler only says that its linker failed', async () => {
    machine.program(
      'g++',
      `[ "$1" = --version ] && exit 0
echo "ld: final link failed: No space left on device" >&2; echo "collect2: error: ld returned 1 exit status" >&2; exit 1`,
    );
    const library = join(machine.root, 'tensorflow.whl');
    writeFileSync(library, WHEEL);
    expect(await messageOf({ library })).toMatch(/^the disk is full: the compiler needs some 50 MB in /);
  });

  it('tells what the compiler said', async () => {
    const library = join(machine.root, 'tensorflow.whl');
    writeFileSync(library, WHEEL);
    expect(await messageOf({ library })).toBe(
      `g++ could not compile the addon against ${machine.cache}/libraries/tensorflow/tensorflow: fake.cc:1: error: refused`,
    );
    expect(readdirSync(join(machine.cache, 'addons'))).toEqual([]);
  });
});

describe('installNative with a download', () => {
  let server: FileServer;
  beforeEach(async () => {
    server = await serveFiles({ [WHEEL_PATH]: WHEEL });
    machine.program('g++', COMPILER);
    machine.program('python3', pythonScript({ report: pipReport(server.url + WHEEL_PATH, sha256(WHEEL)) }));
  });
  afterEach(() => server.close());

  const stored = () => join(machine.cache, 'libraries', `tensorflow-2.21.0-${process.platform}-${process.arch}`);

  it('keeps the unpacked library for the next attempt', async () => {
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await messageOf()).toMatch(/could not compile the addon against .*: fake.cc:1: error: refused;/);
    }
    expect(server.requests).toHaveLength(1);
    expect(readdirSync(join(machine.cache, 'downloads'))).toEqual([]);
  });

  it('fetches again what was stored with fewer headers, and keeps it where that fails', async () => {
    await messageOf();
    const header = join(stored(), 'tensorflow', 'include', 'Eigen', 'Core');
    const manifest = join(stored(), 'manifest.json');
    const withoutHeader = (): void => {
      const stamps = JSON.parse(readFileSync(manifest, 'utf8')) as { path: string }[];
      writeFileSync(manifest, JSON.stringify(stamps.filter(({ path }) => !path.includes('Eigen'))));
      rmSync(dirname(header), { recursive: true });
    };
    withoutHeader();
    await messageOf();
    expect(existsSync(header)).toBe(true);
    expect(server.requests).toHaveLength(2);
    withoutHeader();
    machine.program('python3', pythonScript('none'));
    expect(await messageOf()).toMatch(/could not compile the addon against .*: fake.cc:1: error: refused;/);
    expect(existsSync(stored())).toBe(true);
  });

  it('fetches again what was damaged on disk', async () => {
    await messageOf();
    const file = join(stored(), 'tensorflow', 'libtensorflow_cc.so.2');
    truncateSync(file, 10);
    await messageOf();
    expect(server.requests).toHaveLength(2);
    expect(statSync(file).size).toBe(wheelFiles()['tensorflow/libtensorflow_cc.so.2']?.length);
  });

  it.each(['FORCE_COLOR', 'TTY_COMPATIBLE'])('reads what pip says where %s asks for colours', async (variable) => {
    const bold = `[ -z "$${variable}" ] || printf '\\033[1m'\n`;
    const report = pipReport(server.url + WHEEL_PATH, sha256(WHEEL));
    machine.program('python3', bold + pythonScript({ report }));
    const message = await messageOf({ env: { ...machine.env, [variable]: '1' } });
    expect(message).toMatch(/could not compile the addon against .*: fake.cc:1: error: refused;/);
  });

  it('goes on where a killed installation stopped', async () => {
    server.mishaps.push('stall');
    const script = `void require(${JSON.stringify(join(__dirname, 'install-native.ts'))}).installNative()`;
    const child = spawn(process.execPath, ['-C', '@pyramidal/source', '--import', 'tsx', '-e', script], {
      env: machine.env,
      stdio: 'ignore',
    });
    const part = join(machine.cache, 'downloads', `${WHEEL_PATH.split('/').at(-1)}.part`);
    while (!existsSync(part) || statSync(part).size < 1000) await sleep(20);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(join(machine.cache, 'install.lock'))).toBe(true);

    await messageOf();
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(existsSync(stored())).toBe(true);
  });
});

/** With the native engine installed, its addon stands in for what a compiler would make in ten seconds. */
const record = recordFile(cacheFolder(), 'tensorflow');
const describeInstalled = existsSync(record) ? describe : describe.skip;

describeInstalled('installNative with a library that works (needs the native engine)', () => {
  const real = () => JSON.parse(readFileSync(record, 'utf8')) as Installation;
  beforeEach(() =>
    machine.program('g++', `[ "$1" = --version ] && exit 0; for last; do :; done; cp ${real().addon} "$last"`),
  );

  it('installs once for two that come at the same time, and never again', async () => {
    const steps: string[] = [];
    const progress = { step: (text: string) => void steps.push(text), bytes: () => undefined };
    const options = { env: machine.env, library: real().library, progress };
    const outcomes = await Promise.all([installNative(options), installNative(options)]);
    expect(outcomes.map(({ already }) => already).sort()).toEqual([false, true]);
    expect(steps.filter((step) => step === 'Compiling the addons')).toHaveLength(1);
    expect(outcomes[0].installation).toMatchObject({ tensorflow: real().tensorflow, library: real().library });
    expect((await installNative(options)).already).toBe(true);
  });

  it('opens the library that was named from then on, but not one that the environment names', async () => {
    const { library } = real();
    await installNative({ env: { ...machine.env, PYRAMIDAL_TENSORFLOW: library } });
    expect(readInstallation(machine.cache, 'tensorflow', library)).toBeDefined();
    expect(readInstallation(machine.cache, 'tensorflow')).toBeUndefined();
    await installNative({ env: machine.env, library });
    expect(readInstallation(machine.cache, 'tensorflow')).toMatchObject({ library });
  });

  it('installs again when the addon was damaged, and clears away what was left half done', async () => {
    const options = { env: machine.env, library: real().library };
    const { installation } = await installNative(options);
    truncateSync(installation.addon, 100);
    const draft = join(machine.cache, 'addons', 'draft-abc');
    mkdirSync(draft);
    writeFileSync(join(draft, '.pyramidal-draft'), 'draft-abc');
    writeFileSync(join(draft, 'tfjs_binding.node'), 'half');
    const again = await installNative(options);
    expect(again.already).toBe(false);
    expect(statSync(again.installation.addon).size).toBe(statSync(real().addon).size);
    expect(readdirSync(join(machine.cache, 'addons'))).toHaveLength(1);
  });

  it('leaves alone what it did not put into the cache', async () => {
    const mine = ['downloads/thesis.pdf', 'libraries/mine/main.c', 'addons/mine/a.py', 'installed/notes.txt'];
    for (const path of mine) {
      mkdirSync(dirname(join(machine.cache, path)), { recursive: true });
      writeFileSync(join(machine.cache, path), path);
    }
    await installNative({ env: machine.env, library: real().library });
    await installNative({ env: machine.env, library: real().library, force: true });
    for (const path of mine) expect(readFileSync(join(machine.cache, path), 'utf8')).toBe(path);
    expect(readdirSync(join(machine.cache, 'addons'))).toHaveLength(2);
  });

  it('does not replace a folder of somebody else that has the name of its own', async () => {
    const options = { env: machine.env, library: real().library };
    const { installation } = await installNative(options);
    const notes = join(dirname(installation.addon), 'notes.txt');
    writeFileSync(notes, 'mine');
    const message = await messageOf({ ...options, force: true });
    expect(message).toBe(`${dirname(notes)} holds files that this package did not put there; move them away`);
    expect(readFileSync(notes, 'utf8')).toBe('mine');
  });

  it('installs again where the record of an installation is damaged, and says so', async () => {
    const options = { env: machine.env, library: real().library };
    await installNative(options);
    const damaged = recordFile(machine.cache, 'tensorflow', real().library);
    for (const text of ['', '{"engine": 3}', '[]', 'null', '{"engine"']) {
      writeFileSync(damaged, text);
      const steps: string[] = [];
      const progress = { step: (step: string) => void steps.push(step), bytes: () => undefined };
      expect((await installNative({ ...options, progress })).already).toBe(false);
      expect(steps[0]).toMatch(/installed.tensorflow-\S+\.json: .*; installing again$/);
    }
  });

  it('says what the loader says about an addon that does not run', async () => {
    machine.program('g++', '[ "$1" = --version ] && exit 0; for last; do :; done; echo broken > "$last"');
    expect(await messageOf({ library: real().library })).toMatch(
      /^the native engine does not run here: .*file too short/,
    );
  });
});
