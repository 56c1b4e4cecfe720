/** A line between phone and server that is slow and drops: it resets all its connections in turn. */

import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';

/** What goes over the line in one go; between two the time for it passes. */
const SLICE = 1_000;

export class SlowLine {
  drops = 0;
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  #dropping: NodeJS.Timeout | null = null;
  /** Each way, what is carried waits its turn behind what was there first. */
  readonly #turns = { up: Promise.resolve(), down: Promise.resolve() };

  constructor(
    private readonly upstream: URL,
    private readonly way: { bytes_per_ms: number; drop_every_ms: number },
  ) {
    this.#server = createServer((phone) => this.#carry(phone));
  }

  /** Begin to carry and to drop; return the address for the phone. */
  async open(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    this.#dropping = setInterval(() => this.#drop(), this.way.drop_every_ms);
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    if (this.#dropping !== null) clearInterval(this.#dropping);
    for (const end of this.#ends) end.destroy();
    this.#server.close();
  }

  #drop(): void {
    this.drops += 1;
    for (const end of this.#ends) end.destroy();
  }

  #carry(phone: Socket): void {
    const server = connect(Number(this.upstream.port), this.upstream.hostname);
    this.#join(phone, server, 'up');
    this.#join(server, phone, 'down');
  }

  #join(from: Socket, to: Socket, way: 'up' | 'down'): void {
    this.#ends.add(from);
    from.on('data', (bytes) => {
      from.pause();
      this.#turns[way] = this.#turns[way].then(async () => {
        for (let at = 0; at < bytes.length && !to.destroyed; at += SLICE) {
          const slice = bytes.subarray(at, at + SLICE);
          await rest(slice.length / this.way.bytes_per_ms);
          to.write(slice);
        }
        from.resume();
      });
    });
    // A reset is what such a line does.
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#ends.delete(from);
      // What was sent before the end still arrives, unless the line has dropped.
      this.#turns[way] = this.#turns[way].then(() => void to.end());
    });
  }
}
