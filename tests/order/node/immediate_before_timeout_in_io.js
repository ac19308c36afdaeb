// immediate_before_timeout_in_io.js - in an I/O callback an immediate is nearer than a timeout of
// nothing.
'use strict';
const fs = require('fs');
const { say } = require('./say');

fs.stat('/', () => {
    setTimeout(() => say('timeout'), 0);
    setImmediate(() => say('immediate'));
    process.nextTick(() => say('tick'));
    queueMicrotask(() => say('microtask'));
    say('I/O');
});
