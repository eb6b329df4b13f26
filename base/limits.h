/* SPDX-License-Identifier: Apache-2.0
 * Every length, depth, count and time limit of the product in one place, with its unit in the name: the ones a
 * person may set (limits.def, read as sl_limits.script_bytes), and below them the fixed ones. */
#ifndef SLUICE_BASE_LIMITS_H
#define SLUICE_BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* In force in this process: the defaults, until main() has read the settings (sys_config_apply). After that
 * it does not change, so that every thread may read it. */
extern struct sl_limits {
#define SL_LIMIT_C_BYTES               size_t
#define SL_LIMIT_C_COUNT               size_t
#define SL_LIMIT_C_TIME                int64_t
#define SL_LIMIT_LINE(name, type, ...) SL_LIMIT_C_##type name;
#include "base/limits.def"
#undef SL_LIMIT_LINE
} sl_limits;

/* base */
#define SL_LIMIT_ARENA_BYTES ((size_t)1 << 30)
#define SL_LIMIT_BUF_BYTES   ((size_t)256 << 20)
#define SL_LIMIT_JSON_DEPTH  64
#define SL_LIMIT_JSON_BYTES  ((size_t)64 << 20)
#define SL_LIMIT_YAML_DEPTH  32
#define SL_LIMIT_YAML_BYTES  ((size_t)1 << 20)
#define SL_LIMIT_YAML_NODES  20000

/* catalog */
#define SL_LIMIT_CONNECTOR_FILES     64 /* of users, each a family */
#define SL_LIMIT_JAR_DIRECTORY_BYTES ((size_t)64 << 20)
#define SL_LIMIT_JAR_NOTE_BYTES      ((size_t)16 << 10) /* pom.properties in a jar */
#define SL_LIMIT_JAR_BUNDLED         4096

/* auth */
#define SL_LIMIT_RULES    200
#define SL_LIMIT_TOKEN_MS (INT64_C(36525) * 86400000)

/* log */
#define SL_LIMIT_LOG_RING_BYTES ((size_t)256 << 10)
#define SL_LIMIT_LOG_PER_SECOND 100
#define SL_LIMIT_LOG_FILE_BYTES ((size_t)32 << 20)

/* language */
#define SL_LIMIT_TREE_BYTES                                                                                  \
    ((size_t)256 << 20) /* of a script; statements beyond are checked, but their trees are not kept */
#define SL_LIMIT_NESTING          400  /* Flink's own parser overflows its stack at about 800 */
#define SL_LIMIT_CHAIN_TERMS      2000 /* Flink's operator reduction is quadratic: 5,000 ANDs take 0.5 s */
#define SL_LIMIT_TREE_DEPTH       6000 /* levels of a statement's tree, so that walkers may recurse */
#define SL_LIMIT_IDENTIFIER_UTF16 256  /* as Flink's parser */
#define SL_LIMIT_ROOM_BYTES       ((size_t)64 << 10) /* of a text, from which on its statements are counted first */
#define SL_LIMIT_VARIABLE_DEPTH   16
#define SL_LIMIT_FOLDER_DEPTH     32
#define SL_LIMIT_READ_BYTES       ((size_t)64 << 10) /* of standard input at once */
#define SL_LIMIT_FMT_BYTES        ((size_t)16 << 20) /* of a file that is laid out */
#define SL_LIMIT_FMT_WIDTH        100
#define SL_LIMIT_DIFF_EDITS       2000 /* lines that a diff looks for one by one */
#define SL_LIMIT_FMT_WIDTH_MIN    40
#define SL_LIMIT_FMT_WIDTH_MAX    400

/* results */
#define SL_LIMIT_FRAME_BYTES          ((size_t)64 << 20)
#define SL_LIMIT_RESULT_BLOCK_BYTES   ((size_t)64 << 10)
#define SL_LIMIT_RESULT_TYPE_DEPTH    64    /* of a column's type */
#define SL_LIMIT_RESULT_TYPES         65536 /* types in all columns of one result */
#define SL_LIMIT_RESULT_COLUMNS_BYTES ((size_t)8 << 20)
#define SL_LIMIT_RESULT_DECIMAL_BYTES 128    /* text of one DECIMAL */
#define SL_LIMIT_TARGET_HEADERS       16     /* that go with each request to a foreign Flink */
#define SL_LIMIT_PREFLIGHT_ADDRESSES  32     /* that a script names and that are tried */
#define SL_LIMIT_PROBE_MS             15000  /* of a probe, with its way into a cluster */
#define SL_LIMIT_HELLO_BYTES          128    /* a frame before anybody is known */
#define SL_LIMIT_HTTP_KEPT            16384L /* idle connections of one loop */
#define SL_LIMIT_CHAIN_BYTES          ((size_t)1 << 20)
#define SL_LIMIT_STACK_BYTES          ((size_t)64 << 10)
#define SL_LIMIT_TASK_REPORTS         100000 /* statements one runner may report on */
#define SL_LIMIT_TASK_REPORT_BYTES    ((size_t)64 << 20)
#define SL_LIMIT_RESULTS_UNSENT_BYTES ((size_t)1 << 20) /* answers a peer does not read */
#define SL_LIMIT_RESULTS_LINGER_MS    1000              /* for a refused peer to read why */
#define SL_LIMIT_HELLO_MS             5000
#define SL_LIMIT_HEARTBEAT_MS         5000
#define SL_LIMIT_RESULTS_CONNECT_MS   2000

/* HTTP to Flink */
#define SL_LIMIT_HTTP_BODY_BYTES ((size_t)64 << 20)

/* artifacts */
#define SL_LIMIT_POM_DEPTH       64
#define SL_LIMIT_POM_ELEMENTS    1000000
#define SL_LIMIT_POM_PARENTS     64
#define SL_LIMIT_POM_VALUE_BYTES ((size_t)64 << 10) /* of one text with its properties filled in */
#define SL_LIMIT_POM_VALUE_STEPS 1000000            /* properties filled in for one POM */
#define SL_LIMIT_GRAPH_DEPTH     500                /* levels of dependencies */
#define SL_LIMIT_GRAPH_NODES     200000

/* images */
#define SL_LIMIT_IMAGE_ENTRIES      200000 /* files, folders and links of one image */
#define SL_LIMIT_IMAGE_LOCK_MS      60000  /* wait for another build */
#define SL_LIMIT_REGISTRY_TRIES     6      /* of one request that may succeed the next time */
#define SL_LIMIT_REGISTRY_WAIT_MS   30000  /* that a registry may ask for */
#define SL_LIMIT_REGISTRY_PIECE_MIN ((size_t)64 << 10)
#define SL_LIMIT_MANIFEST_BYTES     ((size_t)4 << 20)
#define SL_LIMIT_CLASS_SET_BYTES    ((size_t)64 << 20)

/* local Flink */
#define SL_LIMIT_LOCAL_IDLE_MS   600000
#define SL_LIMIT_DISK_FULL_BYTES ((uint64_t)1 << 20) /* with less free a disk is called full */
#define SL_LIMIT_OWNER_IDLE_MS   60000

/* owner, lanes, jobs */
#define SL_LIMIT_LANE_QUEUE       1024
#define SL_LIMIT_OWNER_CLIENTS    256
#define SL_LIMIT_OWNER_LINE_BYTES ((size_t)128 << 20)
#define SL_LIMIT_MAINS_PER_CORE   2

#endif
