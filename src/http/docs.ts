/** The page on which a person reads and tries the API: Swagger UI, served from its package. */

import { fileURLToPath } from 'node:url';
import express, { type Router } from 'express';

const page = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Rollcall API</title>
  <link rel="stylesheet" href="/docs/swagger-ui.css">
  <link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
`;
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: false, validatorUrl: null });\n`;

/** The package's own page reads its example from the internet; so its files are named, and the rest stays there. */
const files = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

export function docsRoutes(): Router {
  // Found, not imported: the package's entry would run the whole page's code in this process.
  const folder = fileURLToPath(new URL('.', import.meta.resolve('swagger-ui-dist/package.json')));
  const routes = express.Router();
  routes.get('/docs', (_request, response) => {
    response.type('html').send(page);
  });
  routes.get('/docs/start.js', (_request, response) => {
    response.type('js').send(start);
  });
  for (const file of files) {
    routes.get(`/docs/${file}`, (_request, response) => {
      response.sendFile(file, { root: folder, maxAge: '1h', acceptRanges: false });
    });
  }
  return routes;
}
