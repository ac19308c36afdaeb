// ticks_in_microtasks.js - a tick that a microtask asks for waits until there are no more
// microtasks.
'use strict';
const { say } = require('./say');

queueMicrotask(() => {
    say('microtask 1');
    process.nextTick(() => {
        say('tick');
        queueMicrotask(() => say('microtask of the tick'));
    });
    queueMicrotask(() => {
        say('microtask of microtask 1');
        process.nextTick(() => say('another tick'));
    });
});
queueMicrotask(() => say('microtask 2'));
