// everything_at_once_in_io.js - one I/O callback asks for everything, and an async function is
// under way.
'use strict';
const fs = require('fs');
const { say, soon, sleep } = require('./say');

async function waits() {
    say('called');
    await soon();
    say('goes on');
    await sleep(1);
    say('has slept');
}
fs.stat('/', () => {
    setTimeout(() => say('timeout'), 20);
    setImmediate(() => {
        say('immediate');
        process.nextTick(() => say('tick of the immediate'));
    });
    waits().then(() => say('returned'));
    soon().then(() => say('promise')).then(() => process.nextTick(() => say('tick of the promise')));
    process.nextTick(() => {
        say('tick');
        queueMicrotask(() => say('microtask of the tick'));
    });
    say('I/O');
});
