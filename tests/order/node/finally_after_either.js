// finally_after_either.js - finally runs after success and after failure, and passes either on. A
// chain apart for each: what follows a finally comes two microtasks later in Node.
'use strict';
const { say, soon } = require('./say');

const fails = () => { throw new Error('no'); };
soon().then(() => say('a: step')).finally(() => say('a: finally')).then(() => {
    say('a: goes on');
    return soon().then(fails).finally(() => say('b: finally')).catch(() => say('b: caught'));
}).then(() => say('the end'));
