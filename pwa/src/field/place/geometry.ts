/** Places on the ground: how far apart, and where they stand on a drawing. */

/** A place in degrees. */
export interface Point {
  lat: number;
  lng: number;
}

const METRES_PER_DEGREE = 111_320;

/** Return the straight way between two places in metres; good to a few parts in a thousand in a city. */
export function metres(a: Point, b: Point): number {
  const north = (b.lat - a.lat) * METRES_PER_DEGREE;
  return Math.hypot(north, turn(b.lng - a.lng) * METRES_PER_DEGREE * shrink((a.lat + b.lat) / 2));
}

/**
 * Round a distance to what is known of it: below a kilometre to 50 m, below ten to half, else to whole
 * kilometres. Nobody is told of less than 50 m.
 */
export function rounded(distance: number): number {
  if (distance < 1_000) return Math.max(50, Math.round(distance / 50) * 50);
  const step = distance < 10_000 ? 500 : 1_000;
  return Math.round(distance / step) * step;
}

/** A drawing, north up: where a place stands on it, and how many of its units are a metre. */
export interface Drawing {
  at(point: Point): { x: number; y: number };
  units_per_metre: number;
}

/** Smaller than so is nothing drawn: places of one house would stand streets apart. */
const LEAST_SPAN_M = 200;

/** Fit places into a drawing (equirectangular about their middle), with a margin at every side. */
export function draw(points: Point[], width: number, height: number, margin: number): Drawing {
  const first = points[0] ?? { lat: 0, lng: 0 };
  const lats = points.map((point) => point.lat);
  // Counted from the first, so that places at both sides of the date line stand beside each other.
  const easts = points.map((point) => turn(point.lng - first.lng));
  const middle = { lat: half(lats), east: half(easts) };
  const narrow = shrink(middle.lat);
  const tall = span(lats) * METRES_PER_DEGREE;
  const wide = span(easts) * METRES_PER_DEGREE * narrow;
  const scale = Math.min(
    (width - 2 * margin) / Math.max(wide, LEAST_SPAN_M),
    (height - 2 * margin) / Math.max(tall, LEAST_SPAN_M),
  );
  return {
    units_per_metre: scale,
    at({ lat, lng }) {
      const east = (turn(lng - first.lng) - middle.east) * METRES_PER_DEGREE * narrow;
      const north = (lat - middle.lat) * METRES_PER_DEGREE;
      return { x: width / 2 + east * scale, y: height / 2 - north * scale };
    },
  };
}

/** Return the longest round distance (1, 2 or 5 of a power of ten) that is drawn no longer than that. */
export function scaleBar(drawing: Drawing, longest: number): { metres: number; units: number } {
  const most = longest / drawing.units_per_metre;
  const power = 10 ** Math.floor(Math.log10(most));
  const times = [5, 2, 1].find((one) => one * power <= most) ?? 1;
  return { metres: times * power, units: times * power * drawing.units_per_metre };
}

/** Take together what stands so close that a thumb hits both; each mark stands at its first. */
export function marks<T extends { x: number; y: number }>(all: T[], apart: number): T[][] {
  const found: T[][] = [];
  for (const one of all) {
    const near = found.find(
      ([first]) =>
        first !== undefined &&
        Math.abs(first.x - one.x) < apart &&
        Math.abs(first.y - one.y) < apart,
    );
    if (near === undefined) found.push([one]);
    else near.push(one);
  }
  return found;
}

/** How much narrower a degree of longitude is there; never nothing, not even at a pole. */
function shrink(lat: number): number {
  return Math.max(Math.cos((lat * Math.PI) / 180), 0.01);
}

/** Bring a difference of longitudes to the short way round. */
function turn(degrees: number): number {
  return ((((degrees + 180) % 360) + 360) % 360) - 180;
}

function span(values: number[]): number {
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
}

function half(values: number[]): number {
  return values.length === 0 ? 0 : (Math.max(...values) + Math.min(...values)) / 2;
}
