/** A payment link at a door, as the office said last: with the work, or when it was asked about alone. */

import type { components } from '../../generated/api';
import { phone } from '../phone.svelte';
import { find, type Known } from '../work';
import { standingOf, type Standing } from './links';
import { captured } from './over';

type Link = components['schemas']['DoorLinkOut'];

/** Nobody with money in the hand waits longer for the office. */
const PATIENCE_MS = 4_000;

export class DoorLinkWatch {
  #heard = $state.raw<{ link: Link | null; at: number } | null>(null);

  constructor(private readonly stop: Extract<Known, { kind: 'stop' }>) {}

  /** How far the link is. A handover is filled in on the stop as it was when it began; this goes on. */
  get standing(): Standing {
    const live = find(phone.work.documents, 'stop', this.stop.id);
    const known = live?.kind === 'stop' ? live.body.link : null;
    const heard = this.#heard;
    const isNewer = heard !== null && heard.at > (phone.work.pulled_ms ?? 0);
    const link =
      heard !== null && (isNewer || (heard.link?.paid_minor ?? 0) > 0) ? heard.link : known;
    const asked = captured(this.stop, phone.work.changes) === 'ask_for_link';
    return standingOf(link, asked, Date.now());
  }

  /** Ask the office how it stands; without an answer nothing is known anew. */
  async look(): Promise<void> {
    const answer = await phone.ask('GET', `/field/stops/${this.stop.id}/payment-link`);
    if (answer?.status !== 200) return;
    this.#heard = { link: answer.body as Link | null, at: Date.now() };
  }

  /** Tell whether it was paid in the meantime, as far as the office can be asked in a moment. */
  async isPaid(): Promise<boolean> {
    const { is } = this.standing;
    if (is === 'payable' || is === 'coming') {
      await Promise.race([this.look(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    }
    return this.standing.is === 'paid';
  }
}
