// sockets.js - /ws/echo on Node's ws; at any other path a message goes to all that are there.
//
//   node sockets.js PORT
'use strict';
const { WebSocketServer } = require('ws');

const members = new Set();
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 8192, perMessageDeflate: false });

server.on('connection', (socket, request) => {
    socket.on('error', () => {});                // it closes then
    if (request.url === '/ws/echo') {
        socket.on('message', (data, binary) => socket.send(data, { binary }));
        return;
    }
    members.add(socket);
    socket.on('close', () => members.delete(socket));
    socket.on('message', (data, binary) => {
        for (const member of members)
            if (member.bufferedAmount < 65536)   // who does not read gets no more
                member.send(data, { binary });
    });
});
