// timers_in_order.js - timers ring in the order of their times; 0 counts as 1.
'use strict';
const { say } = require('./say');

setTimeout(() => say('120'), 120);
setTimeout(() => say('1'), 1);
setTimeout(() => say('80'), 80);
setTimeout(() => say('0'), 0);
setTimeout(() => say('40'), 40);
