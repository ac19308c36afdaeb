// chains_of_different_length.js - promise chains go on in turns, a step each.
'use strict';
const { say, soon } = require('./say');

soon().then(() => say('a1')).then(() => say('a2')).then(() => say('a3'));
soon().then(() => say('b1'));
Promise.resolve().then(() => say('c1')).then(() => say('c2')).then(() => say('c3'))
    .then(() => say('c4'));
