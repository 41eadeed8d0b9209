// A WebSocket on a stream of HTTP/2, by Node's client: ADDRESS TOKEN. It says what came, one JSON text a line.

import http2 from 'node:http2';

const [address, token] = process.argv.slice(2);
const say = (said) => console.log(JSON.stringify(said));

const session = http2.connect(`http://${address}`);
await new Promise((resolve) => session.once('remoteSettings', resolve));
say({ offered: session.remoteSettings.enableConnectProtocol });

const open = (fields) => session.request({
  ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/socket?a=1', 'sec-websocket-version': '13', ...fields,
}, { endStream: false });
const status = (stream) => new Promise((resolve) => stream.once('response', (fields) => resolve(fields[':status'])));

const refused = open({});
say({ without: await status(refused) });
refused.close();

// RFC 6455 section 5.2: short texts, from clients under a mask, which may be zero.
const masked = (text) => Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
const stream = open({ authorization: `Bearer ${token}`, 'x-user': 'admin' });
let heard = Buffer.alloc(0);
const next = () => new Promise((resolve, reject) => {
  const look = () => {
    if (heard.length < 2 || heard.length < 2 + heard[1]) return false;
    resolve(heard.subarray(2, 2 + heard[1]).toString());
    heard = heard.subarray(2 + heard[1]);
    return true;
  };
  if (look()) return;
  const more = (data) => { heard = Buffer.concat([heard, data]); if (look()) stream.off('data', more); };
  stream.on('data', more);
  stream.once('error', reject);
});
say({ answered: await status(stream) });
say({ hello: await next() });
stream.write(masked('text'));
say({ text: await next() });
const closed = new Promise((resolve) => stream.once('close', resolve));
stream.on('error', () => {});
stream.resume();
await closed;
say({ cut: true });
session.destroy();
