/** Callers of a service. */

/** An answer to a request. */
export interface Answer {
  readonly status: number;
  readonly milliseconds: number;
}

/** Sends a body; a connection that is cut counts as status 0. */
export async function ask(address: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const start = performance.now();
  const status = await fetch(`${address}/predict`, { method: 'POST', body: new Uint8Array(body), headers }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    },
    () => 0,
  );
  return { status, milliseconds: performance.now() - start };
}

/**
 * Sends requests from some clients, each of which waits for its answer before it sends the next.
 * @param body of a request, by its number.
 * @param onRequest told of each as it begins.
 */
export async function load(
  address: string,
  { requests, clients }: { readonly requests: number; readonly clients: number },
  body: (request: number) => Uint8Array,
  onRequest: (request: number) => void = () => undefined,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < requests) {
      const request = next++;
      onRequest(request);
      answers.push(await ask(address, body(request)));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return answers;
}

/** How often each status came, such as `{ 200: 2000 }`. */
export function countStatus(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
