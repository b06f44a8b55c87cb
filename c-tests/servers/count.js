// SPDX-License-Identifier: MIT OR Apache-2.0
// A backend of statsd: adds up what it counted of the names below flux, and writes that to a file after each flush.
'use strict';
const fs = require('fs');

exports.init = function (startup, config, events) {
    let steps = 0, timings = 0;

    events.on('flush', function (time, metrics) {
        for (const name in metrics.counters)
            if (name.startsWith('flux.'))
                steps += metrics.counters[name];
        for (const name in metrics.timer_counters)
            if (name.startsWith('flux.'))
                timings += metrics.timer_counters[name];
        fs.writeFileSync(config.countFile + '.new', steps + ' ' + timings + '\n');
        fs.renameSync(config.countFile + '.new', config.countFile);
    });
    return true;
};
