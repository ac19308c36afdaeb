// io_after_io.js - I/O begun by an I/O callback is over in a later turn: after its immediates, and
// theirs.
'use strict';
const fs = require('fs');
const { say, soon } = require('./say');

fs.stat('/', () => {
    say('I/O 1');
    fs.stat('/', () => {
        say('I/O 2');
        soon().then(() => say('promise of 2'));
    });
    setImmediate(() => say('immediate of 1'));
    soon().then(() => say('promise of 1'));
});
