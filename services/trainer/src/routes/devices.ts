import { methodNotAllowed } from '@atelier/http';
import { Router } from 'express';
import { z } from 'zod';
import { type FindMachines, TrainingMachine } from '../supervision/known-devices.ts';

export const DevicesResponse = z.strictObject({
  machines: z.array(TrainingMachine).describe('This one; with QUEUE_URL those of the workers that are alive'),
});
export type DevicesResponse = z.infer<typeof DevicesResponse>;

/** `GET /devices`: each engine and device, usable or not, and why not. */
export function devicesRoute(findMachines: FindMachines): Router {
  const router = Router();
  router
    .route('/devices')
    .get(async (_request, response) => {
      const body: DevicesResponse = { machines: await findMachines() };
      response.json(body);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
