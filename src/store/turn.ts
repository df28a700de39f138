/** Long work gives the event loop a turn, so that the service answers others meanwhile. */

const holdMilliseconds = 10;
let lastTurn = 0;

/** Waits for a turn of the event loop if it was held for a while; costs next to nothing otherwise. */
export async function turn(): Promise<void> {
  if (performance.now() - lastTurn < holdMilliseconds) return;
  await new Promise((resolve) => setImmediate(resolve));
  lastTurn = performance.now();
}

/** The parts of a list, one after the other, with a turn of the event loop between them where it is due. */
export async function* inTurns<T>(list: readonly T[], size = 256): AsyncGenerator<readonly T[]> {
  for (let from = 0; from < list.length; from += size) {
    yield list.slice(from, from + size);
    await turn();
  }
}
