/** When credentials are due, as a calendar that other programs subscribe to. */

import { type Endpoint, endpoint } from '../http/endpoint.ts';
import type { Store } from '../store/open.ts';
import { type Credential, dueOf, isPutOff, statesInUse } from './credential.ts';
import { inOneLine } from './issues/markdown.ts';
import { shownIssues } from './issues/store.ts';
import { titleOf } from './issues/text.ts';
import { policyOf } from './policy.ts';
import { type Association, listAssociations, listCredentials } from './store.ts';
import type { ShownIssue, Today } from './wire.ts';

const mostNamed = 20;

export function calendarEndpoint(store: Store, today: () => Today): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/credentials.ics',
    outside: true,
    scope: 'credentials:calendar',
    tokenInQuery: true,
    tag: 'credentials',
    summary: 'When credentials are due, as an iCalendar to subscribe to',
    description:
      'The token stands in the address, so it must be one that may do nothing else: `rollcall token create NAME --scopes credentials:calendar`.',
    answers: { 200: { mediaType: 'text/calendar' } },
    async handle() {
      const text = await calendarOf(store, today());
      const headers = { 'Content-Type': 'text/calendar; charset=utf-8', 'Cache-Control': 'private, no-store' };
      return [200, Buffer.from(text), headers];
    },
  });
}

async function calendarOf(store: Store, day: Today): Promise<string> {
  // Loaded by the first who asks.
  const { default: openCalendar } = await import('ical-generator');
  const calendar = openCalendar({ name: 'Credentials', prodId: '//Rollcall//Credentials//EN', ttl: 3600 });
  const issues = await shownIssues(store.read);
  const users = Map.groupBy(await listAssociations(store.read), ({ credential_id }) => credential_id);
  for (const credential of await listCredentials(store.read)) {
    const due = dueOf(credential, day.timeZone);
    if (!due || !statesInUse.includes(credential.lifecycle_state) || isPutOff(credential.waiver, day.today)) continue;
    const id = credential.credential_id;
    const issue = issues.get(id) ?? null;
    calendar.createEvent({
      id: `${id}@rollcall`,
      allDay: true,
      start: dayOf(due),
      end: dayOf(due.add({ days: 1 })),
      stamp: new Date(credential.updated_at),
      summary: titleOf(credential),
      description: descriptionOf(credential, day, users.get(id) ?? []),
      ...(addressOf(issue, credential) ? { url: addressOf(issue, credential) as string } : {}),
    });
  }
  return calendar.toString();
}

/** The library writes the date that it is in UTC, in whatever zone the machine is. */
function dayOf(date: Temporal.PlainDate): Date {
  return new Date(`${date.toString()}T00:00:00Z`);
}

function addressOf(issue: ShownIssue | null, { runbook_url }: Credential): string | null {
  return issue?.state === 'open' ? issue.url : runbook_url;
}

function descriptionOf(credential: Credential, { policies }: Today, users: readonly Association[]): string {
  const owner = policyOf(credential, policies).owner;
  const names = users.slice(0, mostNamed).map(({ ci_name }) => inOneLine(ci_name));
  const more = users.length > mostNamed ? ` and ${users.length - mostNamed} more` : '';
  return [
    `Type: ${credential.credential_type}`,
    ...(owner === null ? [] : [`Owner: ${inOneLine(owner)}`]),
    ...(names.length === 0 ? [] : [`Used by: ${names.join(', ')}${more}`]),
  ].join('\n');
}
