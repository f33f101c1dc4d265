import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PACKAGE = import.meta.resolve('swagger-ui-dist/package.json');
const { version } = JSON.parse(readFileSync(fileURLToPath(PACKAGE), 'utf8')) as { version: string };

/** The only files of swagger-ui-dist that the page needs, and so the only ones that are served. */
export const SWAGGER_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;

export function pathOfSwaggerFile(name: (typeof SWAGGER_FILES)[number]): string {
  return fileURLToPath(new URL(name, PACKAGE));
}

/** The version in the addresses lets a browser keep the files for ever. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css?${version}" />
    <link rel="icon" type="image/png" sizes="32x32" href="/docs/favicon-32x32.png?${version}" />
  </head>
  <body>
    <div id="page"></div>
    <noscript>A script draws this page. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
    <script src="/docs/swagger-ui-bundle.js?${version}"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** A file of its own, because the page's policy runs no inline script. No validator: it would be asked elsewhere. */
export const START_SCRIPT = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#page',
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
`;

/** Only this service's own files; the page writes styles into its elements and draws its icons from data. */
export const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
