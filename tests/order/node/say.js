// say.js - what the scenarios share: lines are kept, and printed at the end, so that no write of
// Node's own takes part in the order.
'use strict';
const fs = require('fs');
const lines = [];
process.on('exit', () => fs.writeSync(1, lines.map((line) => line + '\n').join('')));

const say = (line) => { lines.push(line); };

// A promise that a microtask settles.
const soon = () => new Promise((settle) => queueMicrotask(settle));
const sleep = (ms) => new Promise((settle) => setTimeout(settle, ms));

// What task_start() is: body begins in a microtask, and calls done() in its last line. (An async
// function that is called begins at once; and who resolves a promise with another waits two more turns.)
const start = (body) => new Promise((done) => queueMicrotask(() => body(done)));

module.exports = { say, soon, sleep, start };
