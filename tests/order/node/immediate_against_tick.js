// immediate_against_tick.js - a tick always comes before an immediate, however deep it was asked
// for.
'use strict';
const { say } = require('./say');

setImmediate(() => say('immediate'));
process.nextTick(() => {
    say('tick');
    queueMicrotask(() => {
        say('microtask');
        process.nextTick(() => {
            say('tick of the microtask');
            setImmediate(() => say('immediate of the tick'));
        });
    });
});
