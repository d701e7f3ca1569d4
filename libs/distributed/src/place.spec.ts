/** A worker's place, by every launcher's variables. */
import { findPlace } from './place';
import { expandHosts, expandTasks } from './slurm';

const tfConfig = (cluster: object, type: string, index: number | string): Record<string, string> => ({
  TF_CONFIG: JSON.stringify({ cluster, task: { type, index }, environment: 'cloud' }),
});
const WORKERS = { worker: ['a:2222', 'b:2222'] };
const SLURM = {
  SLURM_PROCID: '2',
  SLURM_STEP_NUM_TASKS: '3',
  SLURM_STEP_NODELIST: 'gpu[07-08]',
  SLURM_STEP_TASKS_PER_NODE: '2,1',
  SLURM_NODEID: '1',
  SLURM_JOB_ID: '1402',
};

describe('findPlace', () => {
  it.each([
    ['TF_CONFIG', tfConfig(WORKERS, 'worker', 1), { index: 1, count: 2, at: { addresses: ['a:2222', 'b:2222'] } }],
    [
      "Kubeflow's chief",
      tfConfig({ worker: ['w0.ns.svc:2222', 'w1.ns.svc:2222'], chief: ['c0.ns.svc:2222'] }, 'worker', '0'),
      { index: 1, count: 3, at: { addresses: ['c0.ns.svc:2222', 'w0.ns.svc:2222', 'w1.ns.svc:2222'] } },
    ],
    ['Slurm', SLURM, { index: 2, count: 3, at: { addresses: ['gpu07:10032', 'gpu07:10033', 'gpu08:10032'] } }],
    [
      'Open MPI on one machine',
      { OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_SIZE: '4' },
      { index: 0, count: 4, at: { master: { host: '127.0.0.1', port: 29_400 } } },
    ],
    [
      'RANK and WORLD_SIZE',
      { RANK: '3', WORLD_SIZE: '4', MASTER_ADDR: 'first', MASTER_PORT: '1234' },
      { index: 3, count: 4, at: { master: { host: 'first', port: 1234 } } },
    ],
    [
      'two launchers that agree',
      { ...tfConfig(WORKERS, 'worker', 0), RANK: '0', WORLD_SIZE: '2', MASTER_ADDR: 'a' },
      { index: 0, count: 2, at: { addresses: ['a:2222', 'b:2222'] } },
    ],
  ])('reads %s', (_, env, expected) => expect(findPlace(env)).toMatchObject(expected));

  it.each([
    ['nothing is set', {}],
    ['there is one worker', { RANK: '0', WORLD_SIZE: '1' }],
    ['a job of Slurm runs it outside of srun', { SLURM_PROCID: '0', SLURM_NTASKS: '8', SLURM_JOB_ID: '1' }],
  ])('finds none where %s', (_, env) => expect(findPlace(env)).toBeUndefined());

  it.each([
    [
      { ...tfConfig(WORKERS, 'worker', 0), RANK: '1', WORLD_SIZE: '2', MASTER_ADDR: 'a' },
      'this process is worker 0 of 2 by TF_CONFIG, and worker 1 of 2 by RANK and WORLD_SIZE; expected one launcher: unset ' +
        'the variables of the other',
    ],
    [{ TF_CONFIG: '{' }, 'TF_CONFIG: Expected property name'],
    [tfConfig({ worker: ['a'] }, 'worker', 0), 'TF_CONFIG: cluster.worker.0: expected host:port'],
    [tfConfig({ worker: ['a:0'] }, 'worker', 0), 'TF_CONFIG: cluster.worker.0: expected host:port'],
    [tfConfig({ worker: ['a:1', 'b:65536'] }, 'worker', 0), 'TF_CONFIG: cluster.worker.1: expected host:port'],
    [tfConfig({ worker: ['a b:1'] }, 'worker', 0), 'TF_CONFIG: cluster.worker.0: expected host:port'],
    [tfConfig({ worker: ['a/b:1'] }, 'worker', 0), 'TF_CONFIG: cluster.worker.0: expected host:port'],
    [
      tfConfig({ worker: ['a:1', 'b:1', 'a:1'] }, 'worker', 0),
      'TF_CONFIG: expected an address for each worker, received a:1 twice',
    ],
    [
      { TF_CONFIG: JSON.stringify({ cluster: WORKERS, task: { type: 'worker', index: null } }) },
      'TF_CONFIG: task.index: expected a whole number',
    ],
    [
      { TF_CONFIG: JSON.stringify({ cluster: WORKERS, task: { type: 'worker', index: '' } }) },
      'TF_CONFIG: task.index: expected a whole number',
    ],
    [
      { RANK: '0', WORLD_SIZE: '99999999999', MASTER_ADDR: 'a' },
      'WORLD_SIZE: expected at most 65536 workers, received 99999999999',
    ],
    [
      { ...SLURM, SLURM_STEP_NODELIST: 'gpu[0-99999999999]' },
      'SLURM_STEP_TASKS_PER_NODE: expected the tasks of 0 nodes',
    ],
    [
      { ...SLURM, SLURM_STEP_TASKS_PER_NODE: '1(x99999999999)' },
      'SLURM_STEP_TASKS_PER_NODE: expected the tasks of 2 nodes',
    ],
    [
      { ...SLURM, SLURM_STEP_TASKS_PER_NODE: '99999999999,1' },
      'SLURM_PROCID 2: expected tasks one node after the other',
    ],
    [tfConfig({}, 'worker', 0), 'TF_CONFIG: expected workers in its cluster, received none'],
    [tfConfig(WORKERS, 'worker', 2), 'TF_CONFIG: task worker 2 is not among the 2 of its cluster'],
    [tfConfig(WORKERS, 'ps', 0), "TF_CONFIG: expected a task of type chief, master or worker, received 'ps'"],
    [{ RANK: '2', WORLD_SIZE: '2' }, 'RANK and WORLD_SIZE: expected a worker and how many there are, received 2 and 2'],
    [{ RANK: '0' }, 'RANK and WORLD_SIZE: expected a worker and how many there are, received 0 and nothing'],
    [
      { RANK: '0', WORLD_SIZE: '2' },
      'RANK and WORLD_SIZE name 2 workers; expected MASTER_ADDR, the host of the first one',
    ],
    [
      { RANK: '0', WORLD_SIZE: '2', MASTER_ADDR: 'a', MASTER_PORT: 'x' },
      "MASTER_PORT: expected a port from 1 to 65535, received 'x'",
    ],
    [
      { ...SLURM, SLURM_STEP_TASKS_PER_NODE: '2' },
      "SLURM_STEP_TASKS_PER_NODE: expected the tasks of 2 nodes, received '2'",
    ],
    [{ ...SLURM, SLURM_NODEID: '0' }, 'SLURM_PROCID 2: expected tasks one node after the other'],
  ])('says in one line what is wrong with %j', (env, message) => {
    expect(() => findPlace(env as Record<string, string>)).toThrow(message);
  });
});

describe("Slurm's lists", () => {
  it.each([
    ['node[01-03,7],gpu1', ['node01', 'node02', 'node03', 'node7', 'gpu1']],
    ['a[0-1]b,c', ['a0b', 'a1b', 'c']],
    ['', []],
  ])('hosts %s', (list, hosts) => expect(expandHosts(list)).toEqual(hosts));

  it('tasks 2(x3),1', () => expect(expandTasks('2(x3),1')).toEqual([2, 2, 2, 1]));
});
