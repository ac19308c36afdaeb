// ticks_in_ticks.js - a tick that a tick asks for runs before any microtask.
'use strict';
const { say } = require('./say');

function again(n) {
    say('tick ' + n);
    if (n > 1) process.nextTick(again, n - 1);
}
queueMicrotask(() => say('microtask'));
process.nextTick(again, 3);
process.nextTick(() => say('another tick'));
