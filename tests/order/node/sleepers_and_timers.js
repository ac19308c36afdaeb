// sleepers_and_timers.js - who sleeps wakes in line with timers of the same moment, a microtask
// later.
'use strict';
const { say, sleep } = require('./say');

async function sleeps(name) {
    await sleep(5);
    say(name + ' wakes');
    await sleep(5);
    say(name + ' wakes again');
}
sleeps('a');
setTimeout(() => {
    say('timeout');
    process.nextTick(() => say('tick'));
}, 5);
sleeps('b').then(() => say('b has slept'));
