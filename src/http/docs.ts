/** The page on which a person reads and tries the API: Swagger UI, served from its package. */

import express, { type Router } from 'express';
import { absolutePath } from 'swagger-ui-dist';

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

export function docsRoutes(): Router {
  const routes = express.Router();
  routes.get('/docs', (_request, response) => {
    response.type('html').send(page);
  });
  routes.get('/docs/start.js', (_request, response) => {
    response.type('js').send(start);
  });
  routes.use('/docs', express.static(absolutePath(), { index: false, etag: true, maxAge: '1h' }));
  return routes;
}
