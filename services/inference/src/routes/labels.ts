import { resolve } from 'node:path';
import { DomainError, hasCode } from '@atelier/domain';
import { methodNotAllowed, parseJson, parseRequest, readBody, requireUtf8 } from '@atelier/http';
import { replaceLabels, rollBack } from '@atelier/model-repository';
import { type Request, type RequestHandler, Router } from 'express';
import { LabelsRequest, type LabelsResponse } from '../contract/labels.ts';
import { LabelTurns } from '../models/label-turns.ts';
import { tellable } from '../models/refusal.ts';
import type { RepositoryModels } from '../models/serve-models.ts';

const MAXIMUM_BODY_BYTES = 4096;
const MAXIMUM_VALUES = 16;

/**
 * Which version of a model is stable and which the canary, for whoever `admin` lets pass. The labels are a file beside the
 * versions: what is set here holds for every service on the folder, and an answer comes when this one has followed. Requests
 * for one model take turns.
 */
export function labelsRoutes(models: RepositoryModels, modelsDirectory: string, admin: RequestHandler): Router {
  const router = Router();
  const turns = new LabelTurns();
  router
    .route('/models/:name/labels')
    .get(admin, (request, response) => {
      response.json(models.labelsOf(nameIn(request)) satisfies LabelsResponse);
    })
    .put(admin, async (request, response) => {
      const name = nameIn(request);
      models.labelsOf(name); // refuses a model that is not there before its body is read
      const labels = parseRequest(LabelsRequest, await smallJson(request));
      await turns.change(name, async () => {
        const { serving } = models.labelsOf(name);
        await told(replaceLabels(modelsDirectory, name, labels, serving.stable), modelsDirectory);
        await models.refresh();
      });
      response.json(models.labelsOf(name) satisfies LabelsResponse);
    })
    .all(methodNotAllowed('GET', 'HEAD', 'PUT'));
  router
    .route('/models/:name/rollback')
    .post(admin, async (request, response) => {
      const name = nameIn(request);
      await turns.rollBack(name, async () => {
        const { serving } = models.labelsOf(name);
        await told(rollBack(modelsDirectory, name, serving.stable), modelsDirectory);
        await models.refresh();
      });
      response.json(models.labelsOf(name) satisfies LabelsResponse);
    })
    .all(methodNotAllowed('POST'));
  return router;
}

/** What the file of labels has against it, without the paths of this machine. */
async function told(change: Promise<unknown>, modelsDirectory: string): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!hasCode(error, 'invalid-labels', 'repository-not-writable', 'disk-full')) throw error;
    throw new DomainError(error.code, tellable(error.message, resolve(modelsDirectory)), { cause: error });
  }
}

function nameIn({ params }: Request): string {
  return String(params['name']);
}

async function smallJson(request: Request): Promise<unknown> {
  const type = request.get('Content-Type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new DomainError('unsupported-media-type', 'Expected Content-Type application/json.');
  }
  requireUtf8(type);
  return parseJson(await readBody(request, MAXIMUM_BODY_BYTES), MAXIMUM_VALUES);
}
