// timers_of_one_millisecond.js - between two timers of one moment ticks and microtasks run.
'use strict';
const { say, soon } = require('./say');

for (const n of [1, 2, 3])
    setTimeout(() => {
        say('timeout ' + n);
        soon().then(() => say('promise of ' + n));
        process.nextTick(() => say('tick of ' + n));
    }, 5);
