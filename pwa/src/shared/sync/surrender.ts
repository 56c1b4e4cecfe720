/**
 * The way in for a phone that was shut out: what it has captured before is kept by the server, for a
 * person to look at, and then the pictures that these captures name. There is no session; each
 * request is signed with the key of the device.
 */

import { hex } from './canonical';
import type { Reply } from './http';
import type { Line } from './line';
import { chunkHeaders, type Way } from './media';
import type { Ports, ShutOut } from './ports';
import type { TrustedTime } from './trusted-time';

const PATH = '/field/sync/surrender';

/** A request as it is sent; `says` is what its signature covers beside method, path and body. */
interface Asked {
  method: 'POST' | 'HEAD' | 'PATCH';
  path: string;
  says?: string;
  headers?: Record<string, string>;
  body?: string | ArrayBuffer;
}

export class Surrender {
  constructor(
    private readonly ports: Ports,
    private readonly line: Line,
    private readonly time: TrustedTime,
  ) {}

  /** Hand in a batch of captures. */
  send(who: ShutOut, body: string): Promise<Reply | null> {
    const headers = { 'Content-Type': 'application/json' };
    return this.#ask(who, { method: 'POST', path: PATH, headers, body });
  }

  /** Return the way of this phone's pictures. */
  pictures(who: ShutOut): Way {
    return {
      person_id: who.person_id,
      ask: (sha256) => this.#ask(who, { method: 'HEAD', path: `${PATH}/pictures/${sha256}` }),
      send: (sha256, chunk, at, length) =>
        this.#ask(who, {
          method: 'PATCH',
          path: `${PATH}/pictures/${sha256}`,
          says: ` ${at}/${length}`,
          headers: chunkHeaders(at, length),
          body: chunk,
        }),
    };
  }

  /** Ask; a phone whose clock is wrong learns the time from the refusal and signs anew. */
  async #ask(who: ShutOut, asked: Asked): Promise<Reply | null> {
    const reply = await this.#once(who, asked);
    const server_time = reply?.status === 401 ? toldTime(reply) : null;
    if (server_time === null) return reply;
    this.time.hear(server_time);
    return this.#once(who, asked);
  }

  async #once({ person_id, device_id }: ShutOut, asked: Asked): Promise<Reply | null> {
    const { method, path, says = '', headers, body = '' } = asked;
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body).buffer : body;
    const hash = hex(await this.ports.digest(bytes));
    const signed_at = new Date(this.time.now()).toISOString();
    const said = `${method} ${path}${says}\n${device_id}\n${signed_at}\n${hash}`;
    const sign = await this.ports.signer.of(person_id);
    if (sign === null) return null;
    const signature = await sign(new TextEncoder().encode(said));
    const proof = {
      'Doorstep-Device': device_id,
      'Doorstep-Signed-At': signed_at,
      'Doorstep-Signature': signature,
    };
    const sent = asked.body === undefined ? {} : { body: asked.body };
    return this.line.tell(path, { method, headers: { ...headers, ...proof }, ...sent });
  }
}

/** Read the server's time from a refusal; a HEAD has no body, so it stands in a header too. */
function toldTime({ headers, body }: Reply): string | null {
  const { server_time } = (body ?? {}) as { server_time?: unknown };
  const told = typeof server_time === 'string' ? server_time : headers.get('Doorstep-Server-Time');
  return told === null || Number.isNaN(Date.parse(told)) ? null : told;
}
