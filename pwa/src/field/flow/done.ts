/** A job as it stands on this phone: its document, and over it what captures have made of it. */

import type { Known } from '../work';
import { changeOf, type Change, type Changes } from './changes';
import { notBack, standing } from './cargo';
import { account, extrasKey } from './paying';
import { read, tally, type Scan } from './checking';
import { aside, counted, type Beep } from './receiving';

/** Return a job as it stands on this phone: its document, and over it what was done here. */
export function asDone<J extends Known>(job: J, changes: Changes): J {
  const known: Known = job;
  if (known.kind === 'visit') {
    if (!changes.has(extrasKey(known.id))) return job;
    return { ...job, body: { ...known.body, ...account(known, changes) } };
  }
  const change = changeOf(job, changes);
  if (change === null) return job;
  switch (known.kind) {
    case 'pick_list':
      return { ...job, body: picked(known.body, change) };
    case 'arrival':
      return { ...job, body: received(known.body, change) };
    case 'cargo':
      return { ...job, body: { pieces: standing(known.body.pieces, change) } };
    case 'van_out':
      return { ...job, body: { ...known.body, pieces: notBack(known.body.pieces, change) } };
    case 'count': {
      const done = new Set(change.lines);
      const lines = known.body.lines.map((line) =>
        done.has(line.id)
          ? { ...line, counted: true, found: change.found?.[line.id] ?? line.found ?? null }
          : line,
      );
      return { ...job, body: { ...known.body, lines } };
    }
    default:
      return job;
  }
}

type Body<K extends Known['kind']> = Extract<Known, { kind: K }>['body'];

function picked(body: Body<'pick_list'>, change: Change): Body<'pick_list'> {
  let shown = change.anew === true ? { ...body, scans: [], state: 'open' } : body;
  const known = new Set(shown.scans.map((scan) => scan.scan_uid));
  for (const scan of (change.scans ?? []) as Scan[]) {
    if (known.has(scan.scan_uid)) continue;
    const reading = read(shown, scan.code);
    if (!reading.right) continue;
    const { kind, sku, code } = reading;
    shown = { ...shown, scans: [...shown.scans, { scan_uid: scan.scan_uid, kind, sku, code }] };
  }
  if (change.form === 'pick_again') return { ...shown, state: 'open' };
  const { done, of } = tally(shown);
  const state = change.form === 'check' && done === of ? 'checked' : 'picking';
  return { ...shown, state: shown.state === 'checked' ? 'checked' : state };
}

function received(body: Body<'arrival'>, change: Change): Body<'arrival'> {
  const beeps = (change.scans ?? []) as Beep[];
  const put_aside = aside(body, beeps).map((one) => one.serial ?? one.code);
  // A server before this version tells of none.
  const known = (body as Partial<Body<'arrival'>>).aside ?? [];
  return { ...body, scans: counted(body, beeps), aside: [...known, ...put_aside] };
}
