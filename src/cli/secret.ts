import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { decodeUtf8 } from '#core/utf8.ts';
import { usageError } from './exit.ts';

/** Reads a secret of at most `bytesMax` bytes: typed unseen on a terminal, or all of standard input. */
export async function readSecret(prompt: string, bytesMax: number): Promise<string> {
  return process.stdin.isTTY ? await typed(prompt) : await piped(bytesMax);
}

async function typed(prompt: string): Promise<string> {
  // The line editor shows what is typed by writing it; this is where it goes instead.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const editor = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  editor.on('SIGINT', () => editor.close());
  process.stderr.write(prompt);
  try {
    const ended = new Promise<string>((resolve) => editor.once('close', () => resolve('')));
    return await Promise.race([editor.question(''), ended]);
  } finally {
    process.stderr.write('\n');
    editor.close();
  }
}

async function piped(bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw usageError(`standard input is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  // Replacement characters would be hashed in place of what no client could send.
  if (text === null) throw usageError('standard input is not UTF-8');
  return text.replace(/\r?\n$/, '');
}
