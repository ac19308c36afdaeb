// immediates_set_by_immediates.js - an immediate that an immediate sets waits for the next turn.
'use strict';
const fs = require('fs');
const { say } = require('./say');

function again(name, n) {
    say(name + ' ' + n);
    if (n < 3) setImmediate(again, name, n + 1);
}
fs.stat('/', () => {
    setImmediate(again, 'a', 1);
    setImmediate(again, 'b', 1);
    setImmediate(() => say('c'));
});
