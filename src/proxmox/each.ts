/** Many calls, so many of them at once. */

/** Ends with the first error, once those that had begun have ended. */
export async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items].reverse();
  let fault: { error: unknown } | undefined;
  async function worker(): Promise<void> {
    for (let item = waiting.pop(); item !== undefined && !fault; item = waiting.pop()) {
      try {
        await work(item);
      } catch (error) {
        fault ??= { error };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (fault) throw fault.error;
}
