// bytes_to_and_fro.js - two ends of a connection answer each other: what each read makes ready runs
// before the next read.
'use strict';
const net = require('net');
const { say, soon } = require('./say');

const path = '/tmp/tenk-order-' + process.pid;
function talk(socket, name) {
    socket.on('data', (bytes) => {
        const left = bytes.length - 1;
        say(name + ' has ' + bytes.length);
        process.nextTick(() => say('tick of ' + name));
        soon().then(() => say('promise of ' + name));
        if (left > 0) socket.write('x'.repeat(left));
        else socket.destroy();
    });
}
const server = net.createServer((socket) => {
    talk(socket, 'server');
    server.close();
});
server.listen(path, () => {
    const client = net.connect(path, () => client.write('xxxx'));
    talk(client, 'client');
});
