// chain_with_one_catch.js - one handler at the end answers for every step, and may fail itself.
'use strict';
const { say, soon } = require('./say');

const fails = () => { throw new Error('no'); };
for (let failing = 1; failing <= 3; failing++) {
    let chain = soon();
    for (let step = 1; step <= 3; step++)
        chain = chain.then(() => {
            say('chain ' + failing + ', step ' + step);
            if (step === failing) fails();
        });
    chain.catch(() => say('caught: chain ' + failing));
}
soon().then(fails).catch(fails).catch(() => say('caught: what a handler threw'));
