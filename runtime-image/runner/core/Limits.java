/* SPDX-License-Identifier: Apache-2.0
 * What the results port said in WELCOME. 0 bytes means no limit. */
package org.sluice.runner;

import java.nio.ByteBuffer;

final class Limits {
    final int version;
    final int heartbeatMs;
    final int lostAfterMs;
    final int cellBytes;
    final int rowBytes;

    Limits(int heartbeatMs, int lostAfterMs, int cellBytes, int rowBytes) {
        this.version = Frames.VERSION;
        this.heartbeatMs = heartbeatMs;
        this.lostAfterMs = lostAfterMs;
        this.cellBytes = cellBytes;
        this.rowBytes = rowBytes;
    }

    Limits(ByteBuffer welcome) {
        version = welcome.getShort() & 0xffff;
        heartbeatMs = Math.max(50, welcome.getInt());
        lostAfterMs = Math.max(200, welcome.getInt());
        cellBytes = welcome.getInt();
        rowBytes = welcome.getInt();
    }

    /** Answers of SHOW and the like where no results port says otherwise. */
    static Limits none() {
        return new Limits(0, 0, 0, 0);
    }
}
