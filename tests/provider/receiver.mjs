// A client's back-channel logout endpoints: node receiver.mjs READY_FILE RECEIVED_FILE
//
// Each logout token that is posted is appended to RECEIVED_FILE, beside the client named by the path.
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , readyFile, receivedFile] = process.argv;
writeFileSync(receivedFile, '');

const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  const token = new URLSearchParams(body).get('logout_token');
  const isLogout = request.method === 'POST' && token !== null
    && request.headers['content-type'].startsWith('application/x-www-form-urlencoded');
  if (isLogout) appendFileSync(receivedFile, `${JSON.stringify({ client_id: request.url.slice(1), token })}\n`);
  // OpenID Connect Back-Channel Logout 1.0 §2.8
  response.writeHead(isLogout ? 200 : 400, { 'cache-control': 'no-store' }).end();
}).listen(0, '127.0.0.1', () => {
  writeFileSync(`${readyFile}.new`, `http://127.0.0.1:${server.address().port}`);
  renameSync(`${readyFile}.new`, readyFile);
});
