// close_after_immediates.js - close callbacks come after the immediates of their turn, and ticks
// after each of them.
'use strict';
const net = require('net');
const fs = require('fs');
const { say, soon } = require('./say');

const path = '/tmp/tenk-order-' + process.pid;
const server = net.createServer((socket) => socket.resume());
server.listen(path, () => {
    const socket = net.connect(path, () => {
        server.close();
        fs.stat('/', () => {
            socket.on('close', () => {
                say('closed');
                process.nextTick(() => say('tick of the close'));
            });
            socket.destroy();
            setImmediate(() => {
                say('immediate');
                setImmediate(() => say('immediate of the next turn'));
            });
            soon().then(() => say('promise'));
        });
    });
});
