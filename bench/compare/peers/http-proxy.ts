import { Agent } from 'node:http';
import httpProxy from 'http-proxy';

const [port, upstream] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });
httpProxy.createProxyServer({ target: `http://127.0.0.1:${upstream}`, agent, ws: true }).listen(Number(port));
