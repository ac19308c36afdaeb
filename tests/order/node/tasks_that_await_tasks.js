// tasks_that_await_tasks.js - a task begins in a microtask, and who awaits it goes on in the one
// after its end.
'use strict';
const { say, sleep, start } = require('./say');

const inner = (done) => {
    say('inner begins');
    sleep(1).then(() => {
        say('inner ends');
        done();
    });
};
const outer = async (done) => {
    say('outer begins');
    const p = start(inner);
    say('inner has not begun');
    await p;
    say('outer ends');
    done();
};
start(outer).then(() => say('all over'));
queueMicrotask(() => say('microtask'));
process.nextTick(() => say('tick'));
