// failing_chains.js - an error passes each step that it skips in a turn of its own.
'use strict';
const { say, soon } = require('./say');

const fails = () => { throw new Error('no'); };
soon().then(fails).then(() => say('a: skipped')).catch(() => say('a: caught'))
    .then(() => say('a: goes on'));
soon().then(() => say('b1')).then(() => say('b2')).then(() => say('b3')).then(() => say('b4'))
    .then(() => say('b5'));
soon().catch(() => say('c: skipped')).then(() => say('c: behind a catch that had nothing to do'));
