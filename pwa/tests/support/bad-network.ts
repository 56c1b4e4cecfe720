/** A network that loses, repeats, delays and replaces what goes over it, as the seed draws. */

import type { Network } from './device';
import type { Answer, Request } from './model-server';
import type { Random } from './random';

/** The way to a server: the model's, or that of the real API. */
export interface Way {
  /** Let the phone's time pass. */
  pass(ms: number): void;
  deliver(request: Request): Promise<Answer>;
  /** Let a request break off before it is through; nobody hears of an answer. */
  breakOff(request: Request): Promise<void>;
  /** Let the server take no token any more that it has given out. */
  endTokens(): void;
}

const PORTAL: Answer = { status: 200, body: '<html>Please accept our terms.</html>' };

const STATUSES = [401, 403, 408, 409, 426, 429, 500, 502, 503, 504];

export class BadNetwork {
  readonly faults = new Map<string, number>();
  readonly #late: Request[] = [];
  readonly #earlier = new Map<string, Answer[]>();

  constructor(
    private readonly way: Way,
    private readonly random: Random,
    private readonly rate: number,
  ) {}

  readonly carry: Network = async (request) => {
    this.way.pass(this.random.between(20, 4_000));
    // What was delayed arrives before or after what was sent later.
    if (this.random.chance(0.5)) await this.deliverLate();
    if (!this.random.chance(this.rate)) return this.#answer(request);
    const kinds = Object.entries(this.#kinds);
    // Of an answer to a pull it matters most whether it is the one to what was asked.
    const stale = pathOf(request) === '/field/sync/pull' && this.random.chance(0.6);
    const [fault, spoil] = this.random.pick(
      stale ? kinds.filter(([kind]) => kind === 'earlier_answer') : kinds,
    );
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
    return spoil(request);
  };

  /** Let everything arrive that was delayed; its answers go to nobody. */
  async deliverLate(): Promise<void> {
    for (const request of this.#late.splice(0)) await this.way.deliver(request);
  }

  readonly #kinds: Record<string, (request: Request) => Promise<Answer>> = {
    lost_on_the_way: async (request: Request): Promise<Answer> => {
      await this.way.breakOff(request);
      throw new TypeError('Failed to fetch');
    },
    answer_lost: async (request: Request): Promise<Answer> => {
      await this.way.deliver(request);
      throw new TypeError('Failed to fetch');
    },
    late: async (request: Request): Promise<Answer> => {
      this.#late.push(request);
      throw new TypeError('Failed to fetch');
    },
    twice: async (request: Request): Promise<Answer> => {
      const [, answer] = await Promise.all([this.way.deliver(request), this.#answer(request)]);
      return answer;
    },
    status: async (request: Request): Promise<Answer> => {
      const status = this.random.pick(STATUSES);
      // A proxy may say 504 about what was done all the same.
      if (status >= 500 && this.random.chance(0.5)) await this.way.deliver(request);
      const headers = this.random.chance(0.5) ? { 'Retry-After': '7' } : {};
      return { status, headers, body: { type: 'about:blank' } };
    },
    token_ended: async (request: Request): Promise<Answer> => {
      this.way.endTokens();
      return this.#answer(request);
    },
    portal: async (): Promise<Answer> => PORTAL,
    cut_answer: async (request: Request): Promise<Answer> => {
      const answer = await this.#answer(request);
      const text = JSON.stringify(answer.body ?? null);
      return { ...answer, body: text.slice(0, Math.floor(text.length / 2)), headers: {} };
    },
    earlier_answer: async (request: Request): Promise<Answer> => {
      const earlier = this.#earlierTo(request);
      const answer = await this.#answer(request);
      return request.url.startsWith('/field') && earlier.length > 0
        ? this.random.pick(earlier)
        : answer;
    },
    receipts_missing: async (request: Request): Promise<Answer> => {
      const answer = await this.#answer(request);
      const body = answer.body as { receipts?: unknown[] } | undefined;
      if (body?.receipts === undefined) return answer;
      const receipts = this.random.shuffled(body.receipts).slice(1);
      return { ...answer, body: { ...body, receipts: [...receipts, ...receipts] } };
    },
  };

  async #answer(request: Request): Promise<Answer> {
    const answer = await this.way.deliver(request);
    if (request.url.startsWith('/field') && answer.status === 200) {
      // Kept without what counts by position: that belongs to its own batch only.
      const kept = { ...answer, body: { ...(answer.body as object), unreadable: [] } };
      this.#earlier.set(pathOf(request), [...this.#earlierTo(request), kept]);
    }
    return answer;
  }

  #earlierTo(request: Request): Answer[] {
    return this.#earlier.get(pathOf(request)) ?? [];
  }
}

function pathOf({ url }: Request): string {
  return url.split('?')[0] ?? '';
}
