import type { InfoCommand } from '@pyramidal/cli';

export async function info(_: InfoCommand): Promise<number> {
  return 0;
}
