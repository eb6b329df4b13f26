/* SPDX-License-Identifier: Apache-2.0
 * The numbers of the results protocol, version 1 (docs/results-protocol.md). */
package org.sluice.runner;

final class Frames {
    static final int VERSION = 1;

    static final int ROLE_RUNNER = 1;
    static final int ROLE_SINK = 2;
    static final int ROLE_PROBE = 3;

    static final int HELLO = 0x01;
    static final int WELCOME = 0x02;
    static final int REFUSED = 0x03;
    static final int TASK_GET = 0x10;
    static final int TASK = 0x11;
    static final int BEGIN = 0x12;
    static final int DONE = 0x13;
    static final int FAILED = 0x14;
    static final int END = 0x16;
    static final int END_STORED = 0x17;
    static final int COLUMNS = 0x20;
    static final int ROWS = 0x21;
    static final int ACK = 0x22;
    static final int FINISH = 0x23;
    static final int FINISHED = 0x24;
    static final int SINK_ERROR = 0x25;
    static final int HEARTBEAT = 0x30;
    static final int STOP = 0x31;

    /** Longest frame either side may send: type and body. */
    static final int MAX_FRAME = 64 << 20;
    /** A ROWS frame is sent once it holds this much. */
    static final int ROWS_TARGET = 64 << 10;

    private Frames() {}
}
