// microtasks_in_ticks.js - what ticks make ready waits until there are no more ticks.
'use strict';
const { say, soon } = require('./say');

process.nextTick(() => {
    say('tick 1');
    queueMicrotask(() => say('microtask of tick 1'));
    soon().then(() => say('promise of tick 1'));
});
process.nextTick(() => {
    say('tick 2');
    queueMicrotask(() => say('microtask of tick 2'));
});
