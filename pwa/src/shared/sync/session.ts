/**
 * Who works with this phone, and the tokens they send with.
 *
 * A session that ended never stops work: captures need none. Tokens are renewed by one tab for all. A
 * refresh whose answer was lost is asked again with the same token, days later too: the server gives
 * the same answer until what it gave was used. Only its definite word ends a session here, and then a
 * PIN opens the next one.
 */

import type { Database } from './database';
import type { DeviceKeys, PublicKey } from './device-key';
import { problemType, request, type Reply } from './http';
import type { Ports, Session, Sessions, ShutOut } from './ports';
import type { StoredSession } from './schema';

export const REFRESH_LOCK = 'doorstep-refresh';

/** Tries of one renewal; the next sync begins anew. */
const PAUSES_MS = [0, 1_000, 2_000, 4_000];
const REFRESH_TIMEOUT_MS = 5_000;
const SIGN_IN_TIMEOUT_MS = 30_000;

const CURRENT = 'current_person';

/** What came of a sign-in or an enrolment. `no_answer`: nobody knows, and it may be tried again. */
export type SignedIn = 'ok' | 'wrong' | 'locked' | 'revoked' | 'busy' | 'no_answer';

/** The definite words of the server; whatever else says 401 may be a portal in between. */
const ENDS: Record<string, StoredSession['state']> = {
  'not-signed-in': 'needs_sign_in',
  'refresh-token-reused': 'needs_sign_in',
  'device-is-locked': 'locked',
  'device-is-revoked': 'revoked',
};

/** What is given to enrol with: the code, a name and a PIN; the server is told what is still here. */
interface Given {
  code: string;
  device_label: string;
  pin: string;
  known_devices: string[];
}

type SessionPorts = Pick<Ports, 'fetch' | 'timers' | 'locks' | 'base_url'>;

export class SessionKeeper implements Sessions {
  /** The server knows this browser as a phone whose storage is gone, with what was kept there. */
  lost = false;

  constructor(
    private readonly ports: SessionPorts,
    private readonly database: () => Database,
    private readonly keys: DeviceKeys,
  ) {}

  /**
   * Enrol this phone with a code from the office, for whoever the code was made.
   *
   * The keys of people who have worked here before are tried first: so an owner who is enrolled anew
   * goes on as the same device. A key of somebody else is refused without spending the code.
   */
  async enrol(code: string, device_label: string, pin: string): Promise<SignedIn> {
    const known = await this.#all();
    const known_devices = known.map(({ device_id }) => device_id);
    const given = { code, device_label, pin, known_devices };
    for (const { person_id } of known) {
      const key = await this.keys.publicKey(person_id);
      const end = key === null ? null : await this.#tryKey(key, given);
      if (end !== null) return end;
    }
    const adopt = (person_id: string): Promise<void> => this.keys.adopt(person_id);
    for (let made = 0; made < 2; made += 1) {
      const fresh = await this.keys.fresh();
      const end = await this.#tryKey(fresh, given, adopt);
      if (end !== null) return end;
      // Somebody has enrolled with it whose answer was lost, so the phone does not know for whom.
      await this.keys.discard();
    }
    return 'wrong';
  }

  /** Open a session on the enrolled device of this person, with the PIN that the server knows. */
  async signIn(person_id: string, pin: string): Promise<SignedIn> {
    const stored = await this.#of(person_id);
    if (stored === undefined) return 'wrong';
    const body = { device_id: stored.device_id, pin };
    const reply = await this.#post('/api/sign-in/device', body, SIGN_IN_TIMEOUT_MS);
    const tokens = reply === null ? null : readTokens(reply);
    if (tokens !== null) return this.#opened(tokens);
    const end = endOf(reply);
    if (end === 'locked' || end === 'revoked') await this.#ended(person_id, end);
    return outcome(reply);
  }

  /** Return how the session of a person stands; null when they were never enrolled here. */
  async state(person_id: string): Promise<StoredSession['state'] | null> {
    return (await this.#of(person_id))?.state ?? null;
  }

  /** Tell who works with this phone and how their session stands; null before the first enrolment. */
  async standing(): Promise<Pick<StoredSession, 'person_id' | 'state'> | null> {
    const stored = await this.#current();
    return stored === null ? null : { person_id: stored.person_id, state: stored.state };
  }

  /** Return who else has enrolled here and was not signed out since. */
  async others(): Promise<string[]> {
    const now = await this.#current();
    return (await this.#all())
      .filter(({ person_id, state }) => person_id !== now?.person_id && state !== 'signed_out')
      .map(({ person_id }) => person_id);
  }

  /** Let somebody who has enrolled here work with this phone again: what waits of theirs is sent. */
  async turnTo(person_id: string): Promise<void> {
    await this.database().write(['session', 'meta'], async (transaction) => {
      if ((await transaction.objectStore('session').get(person_id)) === undefined) return;
      await transaction.objectStore('meta').put(person_id, CURRENT);
    });
  }

  async current(): Promise<Session | null> {
    const stored = await this.#current();
    if (stored === null || stored.access_token === null) return null;
    return { person_id: stored.person_id, token: stored.access_token };
  }

  async renew(spent: string): Promise<boolean> {
    return this.ports.locks.request(REFRESH_LOCK, { ifAvailable: false }, async () => {
      const stored = await this.#current();
      if (stored === null || stored.refresh_token === null) return false;
      // Another tab was here first.
      if (stored.access_token !== spent) return stored.access_token !== null;
      return this.#refresh(stored.person_id, stored.refresh_token);
    });
  }

  async shutOut(): Promise<ShutOut | null> {
    const stored = await this.#current();
    if (stored?.state !== 'revoked') return null;
    return { person_id: stored.person_id, device_id: stored.device_id };
  }

  async signOut(session: Session): Promise<void> {
    const headers = { Authorization: `Bearer ${session.token}` };
    const path = '/api/session/sign-out';
    const reply = await request(this.ports, path, { method: 'POST', headers }, SIGN_IN_TIMEOUT_MS);
    if (reply === null || (reply.status !== 204 && endOf(reply) === null)) return;
    await this.#wipe(session.person_id);
  }

  async #refresh(person_id: string, refresh_token: string): Promise<boolean> {
    for (const pause of PAUSES_MS) {
      if (pause > 0) await new Promise<void>((done) => void this.ports.timers.after(pause, done));
      const path = '/api/session/refresh';
      const reply = await this.#post(path, { refresh_token }, REFRESH_TIMEOUT_MS);
      if (reply === null) continue;
      const tokens = readTokens(reply);
      if (tokens !== null) return (await this.#opened(tokens)) === 'ok';
      const end = endOf(reply);
      if (end !== null) await this.#ended(person_id, end);
      return false;
    }
    return false;
  }

  /** Enrol with this key; null when it is another's, or was shut out, and the next may be tried. */
  async #tryKey(
    public_key: PublicKey,
    given: Given,
    adopt: (person_id: string) => Promise<void> = async () => undefined,
  ): Promise<SignedIn | null> {
    const reply = await this.#post('/api/enrol', { ...given, public_key }, SIGN_IN_TIMEOUT_MS);
    const tokens = reply === null ? null : readTokens(reply);
    if (tokens !== null) {
      this.lost = (reply?.body as { lost?: boolean } | undefined)?.lost === true;
      await adopt(tokens.person_id);
      return this.#opened(tokens);
    }
    const type = reply === null ? null : problemType(reply);
    if (type === 'device-enrolled-by-another' || type === 'device-is-revoked') return null;
    return outcome(reply);
  }

  #post(path: string, body: unknown, timeout_ms: number): Promise<Reply | null> {
    const headers = { 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return request(this.ports, path, init, timeout_ms);
  }

  async #opened(tokens: Tokens): Promise<SignedIn> {
    await this.database().write(['session', 'meta'], async (transaction) => {
      await transaction.objectStore('session').put({ ...tokens, state: 'signed_in' });
      await transaction.objectStore('meta').put(tokens.person_id, CURRENT);
    });
    return 'ok';
  }

  /** Let go of the tokens only; what was captured stays, and is sealed to this person all the same. */
  #ended(person_id: string, state: StoredSession['state']): Promise<void> {
    return this.database().write(['session'], async (transaction) => {
      const store = transaction.objectStore('session');
      const stored = await store.get(person_id);
      if (stored === undefined) return;
      await store.put({ ...stored, access_token: null, refresh_token: null, state });
    });
  }

  /** Forget what this person's screens show; captures and pictures that wait are never touched. */
  #wipe(person_id: string): Promise<void> {
    const stores = ['session', 'state', 'document', 'pull', 'meta'] as const;
    return this.database().write([...stores], async (transaction) => {
      const sessions = transaction.objectStore('session');
      const stored = await sessions.get(person_id);
      if (stored !== undefined) {
        const state = 'signed_out' as const;
        await sessions.put({ ...stored, access_token: null, refresh_token: null, state });
      }
      const shown = IDBKeyRange.bound([person_id], [person_id, []]);
      await transaction.objectStore('state').delete(shown);
      await transaction.objectStore('document').delete(shown);
      await transaction.objectStore('pull').delete(person_id);
      const meta = transaction.objectStore('meta');
      await meta.delete(`device_word:${person_id}`);
      await meta.delete(`pin:${person_id}`);
    });
  }

  #all(): Promise<StoredSession[]> {
    return this.database().read(['session'], (transaction) =>
      transaction.objectStore('session').getAll(),
    );
  }

  #of(person_id: string): Promise<StoredSession | undefined> {
    return this.database().read(['session'], (transaction) =>
      transaction.objectStore('session').get(person_id),
    );
  }

  #current(): Promise<StoredSession | null> {
    return this.database().read(['session', 'meta'], async (transaction) => {
      const person_id = (await transaction.objectStore('meta').get(CURRENT)) as string | undefined;
      if (person_id === undefined) return null;
      return (await transaction.objectStore('session').get(person_id)) ?? null;
    });
  }
}

type Tokens = Omit<StoredSession, 'state'>;

/** Read the tokens of an answer; null when it has none, whatever its status says. */
function readTokens({ status, body }: Reply): Tokens | null {
  if (status !== 200 && status !== 201) return null;
  const given = (body ?? {}) as Record<keyof Tokens, unknown>;
  const { person_id, device_id, access_token, refresh_token } = given;
  if (typeof person_id !== 'string' || typeof device_id !== 'string') return null;
  if (typeof access_token !== 'string' || typeof refresh_token !== 'string') return null;
  return { person_id, device_id, access_token, refresh_token };
}

function endOf(reply: Reply | null): StoredSession['state'] | null {
  if (reply?.status !== 401) return null;
  return ENDS[problemType(reply) ?? ''] ?? null;
}

function outcome(reply: Reply | null): SignedIn {
  if (reply === null) return 'no_answer';
  const type = problemType(reply);
  if (type === 'device-is-locked') return 'locked';
  if (type === 'device-is-revoked') return 'revoked';
  return type !== null && reply.status < 429 ? 'wrong' : 'busy';
}
