// close_before_the_next_immediate.js - what an immediate closes is closed in the same turn, before
// the immediates of the next.
'use strict';
const net = require('net');
const { say } = require('./say');

const path = '/tmp/tenk-order-' + process.pid;
const server = net.createServer((socket) => socket.resume());
server.listen(path, () => {
    const socket = net.connect(path, () => {
        server.close();
        setImmediate(() => {
            socket.on('close', () => {
                say('closed');
                process.nextTick(() => say('tick of the close'));
            });
            socket.destroy();
            setImmediate(() => say('immediate'));
            say('closes');
        });
    });
});
