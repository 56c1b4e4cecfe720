/**
 * The way in for a phone that was shut out: what it has captured before is kept by the server, for a
 * person to look at. There is no session; the request is signed with the key of the device.
 */

import { hex } from './canonical';
import type { Reply } from './http';
import type { Line } from './line';
import type { Ports, ShutOut } from './ports';
import type { TrustedTime } from './trusted-time';

const PATH = '/field/sync/surrender';

export class Surrender {
  constructor(
    private readonly ports: Ports,
    private readonly line: Line,
    private readonly time: TrustedTime,
  ) {}

  /** Send the body; a phone whose clock is wrong learns the time from the refusal and signs anew. */
  async send(who: ShutOut, body: string): Promise<Reply | null> {
    const reply = await this.#once(who, body);
    const { server_time } = (reply?.body ?? {}) as { server_time?: unknown };
    if (reply?.status !== 401 || typeof server_time !== 'string') return reply;
    if (Number.isNaN(Date.parse(server_time))) return reply;
    this.time.hear(server_time);
    return this.#once(who, body);
  }

  async #once({ person_id, device_id }: ShutOut, body: string): Promise<Reply | null> {
    const bytes = new TextEncoder().encode(body);
    const hash = hex(await this.ports.digest(bytes.buffer));
    const signed_at = new Date(this.time.now()).toISOString();
    const said = new TextEncoder().encode(`POST ${PATH}\n${device_id}\n${signed_at}\n${hash}`);
    const signature = await this.ports.signer.sign(said, person_id);
    if (signature === null) return null;
    return this.line.tell(PATH, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Doorstep-Device': device_id,
        'Doorstep-Signed-At': signed_at,
        'Doorstep-Signature': signature,
      },
      body,
    });
  }
}
