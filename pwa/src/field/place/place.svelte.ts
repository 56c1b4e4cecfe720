/** Where this phone is, as far as it was told lately; only in memory, and null while nobody records. */

interface Here {
  lat: number;
  lng: number;
}

class Place {
  here = $state.raw<Here | null>(null);
  /** `on`: the dispatchers are shown the place; `denied`: its person said no; `off`: nobody asks. */
  recording = $state<'on' | 'denied' | 'off'>('off');
}

export const place = new Place();
