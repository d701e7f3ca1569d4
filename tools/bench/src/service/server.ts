/** A service in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** One that listens. */
export class Server {
  private constructor(
    readonly address: string,
    private readonly child: ChildProcess,
  ) {}

  /** Serves a checkpoint, as `serve` does. @throws Error if it ends before it listens. */
  static async start(task: string, weights: string, queue: number): Promise<Server> {
    const program = join(dirname(require.resolve(`@pyramidal/${task}/package.json`)), 'dist/main.js');
    const args = [program, 'serve', '--weights', weights, '--port', '0', '--queue', String(queue)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const told: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      told.push(line);
      const address = /listening on (http:\S+?);/.exec(line)?.[1];
      if (address === undefined) continue;
      child.stderr.resume(); // what else it says is not read
      return new Server(address, child);
    }
    throw new Error(`service: it ended before it listened: ${told.join('\n')}`);
  }

  /** Megabytes of the process. */
  async memory(): Promise<number> {
    return (await this.metric('process_resident_memory_bytes')) / 2 ** 20;
  }

  /** Seconds of processor time that it has used. */
  seconds(): Promise<number> {
    return this.metric('process_cpu_seconds_total');
  }

  /** Pictures that it has taken, those among them that are answered. */
  async taken(): Promise<number> {
    const answered = this.metric('pyramidal_request_seconds_count{route="/predict"}');
    return (await this.metric('pyramidal_requests_in_work')) + (await answered);
  }

  /** 0 where it does not tell. */
  private async metric(name: string): Promise<number> {
    const lines = (await (await fetch(`${this.address}/metrics`)).text()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 0);
  }

  /** Asks it to stop. @returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exit = once(this.child, 'exit') as Promise<[number | null]>;
    this.child.kill('SIGTERM');
    return (await exit)[0];
  }
}
