// immediates_with_ticks_between.js - between two immediates ticks and microtasks run.
'use strict';
const { say } = require('./say');

for (const n of [1, 2, 3])
    setImmediate(() => {
        say('immediate ' + n);
        queueMicrotask(() => say('microtask of ' + n));
        process.nextTick(() => say('tick of ' + n));
    });
