import { type RequestHandler, Router } from 'express';
import { methodNotAllowed } from '../problems.ts';
import { DOCS_PAGE, DOCS_POLICY, pathOfSwaggerFile, START_SCRIPT, SWAGGER_FILES } from './docs-page.ts';
import type { OpenApiDocument } from './document.ts';

/** `GET /openapi.json`: the document; `GET /docs`: the page that shows it and tries it out, with its files below. */
export function openApiRoutes(describe: () => OpenApiDocument): Router {
  let document: OpenApiDocument | undefined; // built when somebody asks: no start of a service waits for it
  const router = Router();
  const serve = (path: string, handler: RequestHandler) =>
    router.route(path).get(handler).all(methodNotAllowed('GET', 'HEAD'));
  serve('/openapi.json', (_request, response) => void response.json((document ??= describe())));
  serve('/docs', (_request, response) => {
    response.set('Content-Security-Policy', DOCS_POLICY).type('html').send(DOCS_PAGE);
  });
  serve('/docs/start.js', (_request, response) => void response.type('js').send(START_SCRIPT));
  for (const name of SWAGGER_FILES) {
    serve(`/docs/${name}`, (_request, response, next) => {
      response.set('Cache-Control', 'max-age=31536000, immutable');
      // `allow`: the project may lie in a folder whose name begins with a dot.
      response.sendFile(pathOfSwaggerFile(name), { cacheControl: false, dotfiles: 'allow' }, (error?: Error) => {
        // An error without an answer is ours: the file is missing. Otherwise the client has left.
        if (error !== undefined && !response.headersSent) next(error);
      });
    });
  }
  return router;
}
