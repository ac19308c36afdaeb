// microtasks_before_timers.js - microtasks that ask for microtasks keep everybody else waiting.
'use strict';
const { say, soon } = require('./say');

let left = 100;
function again() {
    if (--left > 0) queueMicrotask(again);
    else say('the last microtask');
}
setTimeout(() => say('timeout'), 0);
process.nextTick(() => say('tick'));
queueMicrotask(again);
soon().then(() => process.nextTick(() => say('tick of a promise')));
