// immediates_cleared_by_immediates.js - an immediate may clear the next one, and itself.
'use strict';
const { say } = require('./say');

let own, next;
own = setImmediate(() => {
    say('clears');
    clearImmediate(next);
    clearImmediate(own);
    setImmediate(() => say('set anew'));
    clearImmediate(own);
});
next = setImmediate(() => say('not this'));
setImmediate(() => say('the one behind'));
