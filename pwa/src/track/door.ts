/**
 * Takes a place into the form of the door: where the phone is, or where the sketch was tapped. The
 * server draws it; without this script the same form takes coordinates, and moves the pin by presses.
 */

const METRES_PER_DEGREE = 111_195;

const place = document.querySelector<HTMLInputElement>('input[name=place]');
const look = document.querySelector<HTMLButtonElement>('#look');
const here = document.querySelector<HTMLButtonElement>('#here');
const nowhere = document.querySelector<HTMLElement>('#nowhere');
const sketch = document.querySelector<SVGSVGElement>('#sketch');

function show(lat: number, lng: number, around: number): void {
  if (!place || !look) return;
  place.value = `${lat.toFixed(6)}, ${lng.toFixed(6)}`;
  look.value = String(Math.min(Math.round(around), 100_000));
  look.click();
}

if (here && 'geolocation' in navigator) {
  here.hidden = false;
  here.addEventListener('click', () => {
    here.disabled = true;
    nowhere?.setAttribute('hidden', '');
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        show(coords.latitude, coords.longitude, coords.accuracy);
      },
      () => {
        here.disabled = false;
        nowhere?.removeAttribute('hidden');
      },
      { enableHighAccuracy: true, maximumAge: 30_000, timeout: 30_000 },
    );
  });
}

sketch?.addEventListener('click', (event) => {
  const box = sketch.getBoundingClientRect();
  const lat = Number(sketch.dataset['lat']);
  const lng = Number(sketch.dataset['lng']);
  const metres = (2 * Number(sketch.dataset['reach'])) / box.width;
  const east = (event.clientX - box.left - box.width / 2) * metres;
  const south = (event.clientY - box.top - box.height / 2) * metres;
  const around = METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  show(lat - south / METRES_PER_DEGREE, lng + east / around, 0);
});
