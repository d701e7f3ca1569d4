/** What both pages are made of: one line that tells how things stand, and steps that wait for each other. */

export const element = <T extends Element>(id: string): T => document.querySelector<T>(`#${id}`)!;

type State = 'idle' | 'busy' | 'ready' | 'failed';

export function tell(state: State, message: string): void {
  document.body.dataset['state'] = state;
  element('status').textContent = message;
}

/** Tells what is going on and lets the page be painted before the work that blocks it. */
export async function announce(message: string): Promise<void> {
  tell('busy', message);
  await new Promise((resolve) => setTimeout(resolve, 20));
}

let queue: Promise<void> = Promise.resolve();

/** Runs a step after all earlier ones; what goes wrong in it is one line on the page. */
export function enqueue(step: () => Promise<void>): void {
  queue = queue.then(step).catch((error: unknown) => {
    console.error(error);
    tell('failed', error instanceof Error ? error.message : String(error));
  });
}

/** @throws Error in one line, naming the address. */
export async function download(address: string): Promise<Blob> {
  await announce(`Fetching ${address}`);
  const response = await fetch(address).catch(() => undefined);
  if (!response?.ok) throw new Error(`${address}: cannot be fetched${response ? ` (HTTP ${response.status})` : ''}`);
  return response.blob();
}

export const nameOfAddress = (address: string): string => address.split('/').at(-1)!;

export const duration = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;

/** Shows terms and what they are. */
export function showFigures(entries: Readonly<Record<string, string>>): void {
  const items = Object.entries(entries).map(([term, value]) => {
    const item = document.createElement('div');
    const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
    dt.textContent = term;
    dd.textContent = value;
    item.append(dt, dd);
    return item;
  });
  element('figures').replaceChildren(...items);
}

export function offer(select: HTMLSelectElement, values: readonly string[]): void {
  for (const value of values) select.add(new Option(value, value));
}
