/**
 * Sign-in, enrolment and sessions of the server, as small as they can be.
 *
 * A spent refresh token gets the same successor until that was used, and for 30 s; later it ends the
 * session.
 */

import { isDeepStrictEqual } from 'node:util';

import type { Answer, Request } from './model-server';

const GRACE_MS = 30_000;

interface Device {
  device_id: string;
  person_id: string;
  key: unknown;
  pin: string;
  state: 'active' | 'locked' | 'revoked';
}

interface Token {
  device: Device;
  spent_at: number | null;
  successor: Issued | null;
}

/** An answer with tokens, and which they are. */
interface Issued extends Answer {
  access_token: string;
  refresh_token: string;
}

export class AccessServer {
  /** Code → whose it is; used up by an enrolment. */
  readonly codes = new Map<string, string>();
  readonly devices: Device[] = [];
  readonly access = new Map<string, Device>();
  refreshes = 0;
  readonly #refresh = new Map<string, Token>();
  readonly #used = new Set<string>();
  #made = 0;

  constructor(private readonly now: () => number) {}

  handle(request: Request): Answer | null {
    const body = typeof request.body === 'string' ? JSON.parse(request.body) : {};
    if (request.url === '/api/enrol') return this.#enrol(body);
    if (request.url === '/api/sign-in/device') return this.#signIn(body);
    if (request.url === '/api/session/refresh') return this.#rotate(body.refresh_token);
    if (request.url === '/api/session/sign-out') {
      const token = (request.headers['Authorization'] ?? '').slice('Bearer '.length);
      return this.access.delete(token) ? { status: 204 } : refused('not-signed-in');
    }
    return null;
  }

  deviceOf(person_id: string): Device {
    const found = this.devices.find((device) => device.person_id === person_id);
    if (found === undefined) throw new Error(`${person_id} has no device`);
    return found;
  }

  /** Tell whose access token this is, which is used from now on. */
  opened(access_token: string): Device | undefined {
    const device = this.access.get(access_token);
    if (device !== undefined) this.#used.add(access_token);
    return device;
  }

  /** End every access token, as ten minutes do. */
  expire(): void {
    this.access.clear();
  }

  /** Forget every session, as thirty days do. */
  forget(): void {
    this.expire();
    this.#refresh.clear();
  }

  #enrol({ code, pin, public_key: key }: Record<string, string>): Answer {
    const person_id = this.codes.get(code ?? '');
    if (person_id === undefined || pin === undefined) return refused('enrolment-code-not-valid');
    let device = this.devices.find((one) => isDeepStrictEqual(one.key, key));
    if (device !== undefined && device.person_id !== person_id) {
      return refused('device-enrolled-by-another', 409);
    }
    if (device?.state === 'revoked') return refused('device-is-revoked');
    if (device === undefined) {
      device = { device_id: this.#name('device'), person_id, key, pin, state: 'active' };
      this.devices.push(device);
    }
    Object.assign(device, { pin, state: 'active' });
    this.codes.delete(code ?? '');
    return { ...this.#issue(device), status: 201 };
  }

  #signIn({ device_id, pin }: Record<string, string>): Answer {
    const device = this.devices.find((one) => one.device_id === device_id);
    if (device === undefined) return refused('sign-in-failed');
    if (device.state !== 'active') return refused(`device-is-${device.state}`);
    return device.pin === pin ? this.#issue(device) : refused('sign-in-failed');
  }

  #rotate(name: string): Answer {
    this.refreshes += 1;
    const token = this.#refresh.get(name);
    if (token === undefined) return refused('not-signed-in');
    if (token.device.state !== 'active') return refused(`device-is-${token.device.state}`);
    if (token.spent_at === null || token.successor === null) {
      token.spent_at = this.now();
      token.successor = this.#issue(token.device);
      return token.successor;
    }
    const { access_token, refresh_token } = token.successor;
    const used =
      this.#used.has(access_token) || (this.#refresh.get(refresh_token)?.spent_at ?? null) !== null;
    if (!used || this.now() - token.spent_at <= GRACE_MS) {
      this.access.set(access_token, token.device);
      return token.successor;
    }
    this.forget();
    return refused('refresh-token-reused');
  }

  #issue(device: Device): Issued {
    const { person_id, device_id } = device;
    const [access_token, refresh_token] = [this.#name('access'), this.#name('refresh')];
    this.access.set(access_token, device);
    this.#refresh.set(refresh_token, { device, spent_at: null, successor: null });
    const body = { person_id, device_id, access_token, refresh_token };
    return { status: 200, body, access_token, refresh_token };
  }

  #name(what: string): string {
    this.#made += 1;
    return `${what}-${this.#made}`;
  }
}

function refused(type: string, status = 401): Answer {
  return { status, body: { type: `/problems/${type}` } };
}
