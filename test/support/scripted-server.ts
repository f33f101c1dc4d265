import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface ScriptedServer {
  port: number;
  close(): Promise<void>;
}

/** A server of bytes: `answer` is called with the number of each whole request (one that ends in an empty line). */
export async function scriptedServer(answer: (socket: Socket, index: number) => void): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // the client may go away
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const requests = text.split('\r\n\r\n');
      text = requests.pop() ?? '';
      requests.forEach(() => answer(socket, count++));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
