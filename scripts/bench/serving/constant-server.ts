// Reads a request and answers the same bytes: how fast the load generator can go, and what it costs then.
import { createServer } from 'node:http';

const ANSWER = Buffer.from(JSON.stringify({ probabilities: Array.from({ length: 10 }, () => 0.1) }));
const HEADERS = { 'Content-Type': 'application/json', 'Content-Length': ANSWER.length };

const server = createServer((request, response) => {
  request.on('end', () => response.writeHead(200, HEADERS).end(ANSWER)).resume();
}).listen(Number(process.argv[2]), '127.0.0.1');

process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
