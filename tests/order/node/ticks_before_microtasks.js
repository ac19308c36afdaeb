// ticks_before_microtasks.js - ticks run before microtasks, whoever asked first, and both after the
// script.
'use strict';
const { say, soon } = require('./say');

queueMicrotask(() => say('microtask 1'));
process.nextTick(() => say('tick 1'));
soon().then(() => say('promise'));
queueMicrotask(() => say('microtask 2'));
process.nextTick(() => say('tick 2'));
say('script');
