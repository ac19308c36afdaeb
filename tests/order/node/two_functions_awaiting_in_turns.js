// two_functions_awaiting_in_turns.js - two async functions in loops take turns; a tick comes when
// both pause.
'use strict';
const { say, soon } = require('./say');

async function counts(name) {
    for (let i = 1; i <= 3; i++) {
        say(name + ' ' + i);
        if (i === 2) process.nextTick(() => say('tick of ' + name));
        await soon();
    }
}
counts('a').then(() => say('a ends'));
counts('b').then(() => say('b ends'));
