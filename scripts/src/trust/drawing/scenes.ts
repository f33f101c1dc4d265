import { IMAGE_WIDTH } from '@atelier/domain';
import { drawn } from './grey.ts';
import type { Random } from './random.ts';

/** Soft patches of light, as a photo that is out of focus. */
export function patches(random: Random): Uint8Array {
  const spots = Array.from({ length: random.whole(4, 10) }, () => ({
    x: random.between(0, IMAGE_WIDTH),
    y: random.between(0, IMAGE_WIDTH),
    reach: random.between(2, 9),
    light: random.between(-160, 220),
  }));
  const ground = random.between(20, 180);
  return drawn((x, y) =>
    spots.reduce(
      (sum, spot) => sum + spot.light * Math.exp(-((x - spot.x) ** 2 + (y - spot.y) ** 2) / (2 * spot.reach ** 2)),
      ground,
    ),
  );
}

/** Stripes or squares, as of tiles, bricks and fences. */
export function pattern(random: Random): Uint8Array {
  const [angle, period, phase] = [random.between(0, Math.PI), random.between(3, 12), random.between(0, 9)];
  const [dark, light, isGrid] = [random.between(0, 120), random.between(130, 255), random.whole(0, 1) === 1];
  const wave = (along: number) => Math.sin((2 * Math.PI * (along + phase)) / period);
  return drawn((x, y) => {
    const along = Math.cos(angle) * x + Math.sin(angle) * y;
    const across = Math.cos(angle) * y - Math.sin(angle) * x;
    const height = isGrid ? Math.sign(wave(along) * wave(across)) : wave(along);
    return dark + ((light - dark) * (height + 1)) / 2;
  });
}

/** Light and dark at every size, the larger the stronger, as photographs have it: noise at five sizes, added. */
export function texture(random: Random): Uint8Array {
  const sizes = [1, 2, 4, 8, 16];
  const layers = sizes.map((size) => {
    const side = Math.ceil(IMAGE_WIDTH / size) + 2;
    return { size, side, values: Array.from({ length: side * side }, () => random.normal()) };
  });
  const strength = random.between(10, 30);
  const ground = random.between(60, 190);
  return drawn((x, y) =>
    layers.reduce((sum, { size, side, values }) => {
      const [u, v] = [x / size, y / size];
      const [column, row] = [Math.floor(u), Math.floor(v)];
      const at = (dx: number, dy: number) => values[(row + dy) * side + column + dx] ?? 0;
      const upper = at(0, 0) + (at(1, 0) - at(0, 0)) * (u - column);
      const lower = at(0, 1) + (at(1, 1) - at(0, 1)) * (u - column);
      return sum + strength * Math.sqrt(size) * (upper + (lower - upper) * (v - row));
    }, ground),
  );
}

/** A sky that fades, a line of hills and rough ground. */
export function landscape(random: Random): Uint8Array {
  const horizon = random.between(8, 20);
  const hills = Array.from(
    { length: 3 },
    () => [random.between(0.5, 4), random.between(0.1, 0.6), random.between(0, 6)] as const,
  );
  const [sky, fade, ground] = [random.between(120, 255), random.between(-3, 3), random.between(0, 150)];
  return drawn((x, y) => {
    const edge = hills.reduce((sum, [height, bend, phase]) => sum + height * Math.sin(bend * x + phase), horizon);
    return y < edge ? sky + fade * y : ground + 15 * random.normal();
  });
}

/** A few round things on black, each of its own grey. */
export function things(random: Random): Uint8Array {
  const all = Array.from({ length: random.whole(1, 4) }, () => ({
    x: random.between(6, 22),
    y: random.between(6, 22),
    along: random.between(2, 9),
    across: random.between(2, 9),
    angle: random.between(0, Math.PI),
    grey: random.between(60, 255),
  }));
  return drawn((x, y) => {
    const top = all.findLast((thing) => {
      const [dx, dy] = [x - thing.x, y - thing.y];
      const u = dx * Math.cos(thing.angle) + dy * Math.sin(thing.angle);
      const v = dy * Math.cos(thing.angle) - dx * Math.sin(thing.angle);
      return (u / thing.along) ** 2 + (v / thing.across) ** 2 < 1;
    });
    return top === undefined ? 0 : top.grey + 8 * random.normal();
  });
}
