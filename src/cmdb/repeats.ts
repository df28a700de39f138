/**
 * Clients in the field send the same again and again. What a body says is worked out once: the same words of the
 * same speaker are the same statements, and these are looked at whole only where they turn out to be news.
 */

import { hashOf } from './said.ts';
import { type ItemBody, type Speaker, type Spoken, spokenByToken } from './speak.ts';
import type { Statement } from './statement.ts';

/** A statement without what it says: enough to know that it was said before. */
type Outline = Omit<Statement, 'index' | 'patch' | 'said'>;

/** Answers what a registration says: out of memory, or by `speak`, which checks it first. */
export type Repeats = (body: unknown, index: number, speaker: Speaker, speak: () => Spoken) => Spoken;

const mostBodies = 20_000;

export function openRepeats(): Repeats {
  const known = new Map<string, readonly Outline[]>();
  return (body, index, speaker, speak) => {
    const key = hashOf([speaker.tokenName, body]);
    const outlines = known.get(key);
    if (outlines) return { statements: recalled(outlines, body as ItemBody, index, speaker), faults: [] };
    const spoken = speak();
    if (
      spoken.faults.length === 0 &&
      !speaksOfTime(body as ItemBody) &&
      !spoken.statements.some(({ isReadBack }) => isReadBack)
    ) {
      if (known.size >= mostBodies) known.clear();
      known.set(key, spoken.statements.map(outlineOf));
    }
    return spoken;
  };
}

/** An uptime means another moment each time that it is said. */
function speaksOfTime({ technical_specs: specs }: ItemBody): boolean {
  return typeof specs === 'object' && specs !== null && ('uptime' in specs || 'uptime_s' in specs);
}

function outlineOf({ source, kind, key, target, companion, whole, registers, hold, heard }: Statement): Outline {
  return { source, kind, key, target, companion, whole, registers, hold, heard };
}

function recalled(outlines: readonly Outline[], body: ItemBody, index: number, speaker: Speaker): Statement[] {
  let spoken: readonly Statement[] | undefined;
  const statement = (place: number) => {
    spoken ??= spokenByToken(body, index, null, true, speaker).statements;
    return spoken[place] as Statement;
  };
  return outlines.map((outline, place) => ({
    ...outline,
    index,
    get patch() {
      return statement(place).patch;
    },
    get said() {
      return statement(place).said;
    },
  }));
}
