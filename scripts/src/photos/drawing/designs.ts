import type { ClassName } from '@atelier/domain';
import { BAGS } from './bags.ts';
import { DRESSES } from './dresses.ts';
import type { Design } from './garment.ts';
import { ANKLE_BOOTS, SANDALS, SNEAKERS } from './shoes.ts';
import { COATS, PULLOVERS, SHIRTS, TSHIRTS } from './tops.ts';
import { TROUSERS } from './trousers.ts';

/** The models that each class is drawn in. */
export const DESIGNS: Record<ClassName, readonly Design[]> = {
  'T-shirt/top': TSHIRTS,
  Trouser: TROUSERS,
  Pullover: PULLOVERS,
  Dress: DRESSES,
  Coat: COATS,
  Sandal: SANDALS,
  Shirt: SHIRTS,
  Sneaker: SNEAKERS,
  Bag: BAGS,
  'Ankle boot': ANKLE_BOOTS,
};
