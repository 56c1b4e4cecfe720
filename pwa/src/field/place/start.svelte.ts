/** Puts the recording of the place beside the screens, as long as the page lives. */

import { V7Generator } from 'uuidv7';

import { t } from '../i18n/language.svelte';
import { phone } from '../phone.svelte';
import { jobs } from '../work';
import { onDuty } from './duty';
import { metres, rounded } from './geometry';
import { place } from './place.svelte';
import { Recorder } from './recorder';
import { Ring } from './ring';
import { pin } from './stops';
import { distance } from './words';

interface BatteryManager extends EventTarget {
  level: number;
  charging: boolean;
}

/** What not every browser has. */
interface Extras {
  getBattery?: () => Promise<BatteryManager>;
  connection?: { saveData?: boolean };
}

let started = false;

/**
 * Record from now on whenever it is allowed; without a browser that knows its place, never.
 *
 * A second call changes nothing.
 */
export function startPlaces(): void {
  const { geolocation } = navigator;
  if (started || geolocation === undefined) return;
  started = true;
  const extras = navigator as Extras;
  /** Between 0 and 1; one that is being charged is not short. */
  let battery = $state<number | null>(null);
  let visible = $state(document.visibilityState === 'visible');
  const ids = new V7Generator();
  const recorder = new Recorder({
    geolocation,
    mono: () => performance.now(),
    stamp() {
      const { captured_at, mono_ms, server_at, server_mono_ms } = phone.stamp();
      return { captured_at, mono_ms, server_at, server_mono_ms };
    },
    id: () => ids.generate().toString(),
    ring: new Ring(),
    tell: async (fixes) => (mayTell() ? phone.ask('POST', '/field/places', { fixes }) : null),
    battery: () => battery,
    saves_data: () => extras.connection?.saveData === true,
    show: (recording, here) => {
      place.recording = recording;
      place.here = here;
    },
  });

  document.addEventListener('visibilitychange', () => {
    visible = document.visibilityState === 'visible';
  });
  void extras.getBattery?.().then((manager) => {
    const read = (): void => {
      battery = manager.charging ? 1 : manager.level;
    };
    read();
    manager.addEventListener('levelchange', read);
    manager.addEventListener('chargingchange', read);
  });

  $effect.root(() => {
    const followed = $derived(
      phone.stage === 'open' &&
        phone.session === 'signed_in' &&
        visible &&
        onDuty(phone.work.documents, phone.work.changes)
        ? phone.person_id
        : null,
    );
    $effect(() => recorder.follow(followed));
    $effect(() => {
      void battery;
      recorder.adapt();
    });
    // After each exchange that went well.
    $effect(() => {
      if (phone.status !== null && phone.stage === 'open' && mayTell()) {
        void recorder.tell(phone.person_id);
      }
    });
    $effect(() => {
      phone.distances = distances();
    });
  });
}

/** Captures go first: the server has to know of the work before it is told where its person was. */
function mayTell(): boolean {
  const { status } = phone;
  return (
    status !== null &&
    status.waiting.count + status.sending.count === 0 &&
    status.problems.length === 0
  );
}

function distances(): Map<string, string> {
  const { here } = place;
  if (here === null) return new Map();
  return new Map(
    jobs(phone.work.documents).flatMap((job): [string, string][] => {
      const there = pin(job);
      if (there === null) return [];
      const far = distance(rounded(metres(here, there)));
      return [[job.id, t('straight_line', { distance: far })]];
    }),
  );
}
