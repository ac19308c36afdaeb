// timers_set_by_timers.js - a timer that a timer sets waits for the next turn: an immediate comes
// before it.
'use strict';
const { say } = require('./say');

function again(n) {
    say('timeout ' + n);
    if (n < 3) {
        setTimeout(again, 0, n + 1);
        setImmediate(() => say('immediate of ' + n));
        queueMicrotask(() => say('microtask of ' + n));
    }
}
setTimeout(again, 0, 1);
